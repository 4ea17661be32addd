"""Segments merged into one: what a version must not have too many of, nor too many deleted rows in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from index_builder.artifact.manifest import MetadataField, SegmentEntry
from index_builder.artifact.photos.store import PhotoStore
from index_builder.artifact.segments.photos import SegmentedPhotos
from index_builder.report import Report
from index_builder.segments.append import SegmentWriter
from index_builder.stores.base import VectorStore
from index_builder.stores.plan import DEFAULT_SETTINGS
from index_builder.stores.row_map import Places, RowMap
from index_builder.stores.segmented import SegmentedStore

MAX_SEGMENTS = 8  # each costs a search about 20 microseconds, and a filter a query
_LEFT_AFTER_MERGE = 4
MAX_DELETED_SHARE = 0.3  # of a segment's rows: bounds the disk that deleted photos take to 43 % of the live ones'
_BLOCK_ROWS = 2_048


def merge_rows(
    folder: Path,
    segments: Sequence[tuple[VectorStore, PhotoStore]],
    places: Places,
    *,
    fields: Sequence[MetadataField],
    dim: int,
) -> int:
    """Write the rows at `places`, in their order, as the files of one segment; returns how many (G).

    Raises IndexCorrupt, OSError, sqlite3.Error.
    """
    row_map = RowMap(places, [store.count for store, _ in segments])
    vectors = SegmentedStore([store for store, _ in segments], row_map)
    photos = SegmentedPhotos([table for _, table in segments], row_map)
    records = photos.records()
    with SegmentWriter(folder, fields, dim) as writer:
        for start in range(0, row_map.count, _BLOCK_ROWS):
            rows = np.arange(start, min(start + _BLOCK_ROWS, row_map.count))
            block = zip(islice(records, len(rows)), photos.thumbnails(rows), vectors.vectors_of(rows), strict=True)
            for record, thumbnail, vector in block:
                writer.append(record, thumbnail, vector)
    return row_map.count


def join_segments(
    folder: Path,
    joined: Iterator[tuple[Path, VectorStore]],
    *,
    fields: Sequence[MetadataField],
    dim: int,
    report: Report,
) -> int:
    """Write the rows of segments one after another as the files of one segment; returns how many (G).

    `joined`: the folder of each, and its vectors, which are closed before the next one is drawn: thousands of segments
    take no more memory and files than one. Photos of equal bytes are noted in `report`. Raises OSError, sqlite3.Error.
    """
    with SegmentWriter(folder, fields, dim) as writer:
        for each, vectors in joined:
            try:
                writer.append_segment(each, vectors)
            finally:
                vectors.close()
        for note in writer.duplicates():
            report.note(note)
        return writer.count


def segments_to_merge(segments: Sequence[SegmentEntry], *, searched: bool = True) -> list[int]:
    """Positions of the segments that have to become one, ascending; none while all bounds are kept.

    Those with too many deleted rows; the smallest, where there are too many segments; all exact ones, where they have
    more photos than an exact search is meant for, unless they are not `searched` themselves. The largest is merged
    last, so that a photo is rarely written again.
    """
    merged = {
        number
        for number, segment in enumerate(segments)
        if segment.count - segment.live > MAX_DELETED_SHARE * segment.count
    }
    most = DEFAULT_SETTINGS.flat_max_photos
    # A larger one is exact because somebody asked for that.
    exact = [number for number, segment in enumerate(segments) if segment.search.is_exact and segment.live <= most]
    if searched and len(exact) > 1 and sum(segments[number].live for number in exact) > most:
        merged.update(exact)
    if len(segments) - max(len(merged) - 1, 0) > MAX_SEGMENTS:
        by_size = sorted(range(len(segments)), key=lambda number: segments[number].live)
        merged.update(by_size[: len(segments) - _LEFT_AFTER_MERGE + 1])
    return sorted(merged)


def merged_places(places: Places, merged: Sequence[int], target: int) -> tuple[Places, Places]:
    """The rows of `merged` segments in the gallery's order, and all places with these rows in segment `target`."""
    moves = np.isin(places[:, 0], merged)
    rewritten = places.copy()
    rewritten[moves] = np.column_stack([np.full(moves.sum(), target), np.arange(moves.sum())])
    return places[moves], rewritten
