"""The rows of a version over its segments: which row of which segment each photo is, in the order of photo ids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from index_builder.artifact import layout
from index_builder.artifact.manifest import SegmentEntry
from index_builder.stores.row_map import Places
from models.atomic_files import sync_path


def named_segments(segments: Sequence[SegmentEntry], places: Places) -> tuple[tuple[SegmentEntry, ...], Places]:
    """The segments that have live rows, with how many they are, and the places numbered by what is left of them.

    `places` (G, 2): segment by its position in `segments`, and row in it. Untouched segments come as they are.
    """
    live = np.bincount(places[:, 0], minlength=len(segments)).tolist()
    kept = tuple(
        segment.model_copy(update={"live": count}) for segment, count in zip(segments, live, strict=True) if count
    )
    if len(kept) == len(segments):
        return kept, places  # no copy of what may be the largest thing in memory
    number_of = (np.cumsum([count > 0 for count in live]) - 1).astype(np.int32)
    return kept, np.column_stack([number_of[places[:, 0]], places[:, 1]])


def write_rows(version: Path, segments: Sequence[SegmentEntry], places: Places) -> tuple[str, ...]:
    """Write rows.npy into a version's folder, where its segments need it; returns the names of the written files."""
    if len(segments) == 1 and segments[0].live == segments[0].count:
        return ()
    np.save(version / layout.ROWS, places)
    sync_path(version / layout.ROWS)
    return (layout.ROWS,)
