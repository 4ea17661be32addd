"""A version's vectors and photos, whether its own folder holds them or segments do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np

from index_builder.artifact import layout
from index_builder.artifact.errors import IndexCorrupt
from index_builder.artifact.manifest import IndexManifest, MetadataField, SegmentEntry
from index_builder.artifact.photos.store import KEPT_RECORDS, PhotoStore
from index_builder.artifact.segments.photos import PhotoTable, SegmentedPhotos
from index_builder.stores.base import VectorStore
from index_builder.stores.choice import CPU, Collection, MilvusServer, SearchDevice, open_collection, open_store
from index_builder.stores.errors import StoreUnreadable
from index_builder.stores.row_map import Places, RowMap, read_places
from index_builder.stores.segmented import SegmentedStore


def open_parts(
    folder: Path, manifest: IndexManifest, milvus: MilvusServer | None = None, device: SearchDevice = CPU
) -> tuple[VectorStore, PhotoTable]:
    """The vectors and the photos of the version in `folder`, whose rows are the same.

    `milvus`: where the vectors of a version are searched that has a collection; `device`: where those of the others
    are. Raises IndexCorrupt, StoreUnavailable.
    """
    try:
        dim, fields = manifest.embedding_dim, manifest.metadata_fields
        if milvus is not None and manifest.collection is not None:
            return _open_in_milvus(folder, manifest, manifest.collection, milvus)
        if manifest.segments:
            places = places_of(folder, manifest)
            return open_segments(folder, manifest.segments, places, fields=fields, dim=dim, device=device)
        store = open_store(folder, manifest.search, count=manifest.count, dim=dim, device=device)
        return store, _photos(folder, fields, manifest.count)
    except StoreUnreadable as error:
        raise IndexCorrupt(error.what, expected=error.expected, actual=error.actual) from error


def places_of(folder: Path, manifest: IndexManifest) -> Places:
    """(G, 2): segment and row in it of each row of the version in `folder`, which has segments. Raises IndexCorrupt."""
    if manifest.is_one_part:
        rows = np.arange(manifest.count, dtype=np.int32)
        return np.column_stack([np.zeros_like(rows), rows])
    try:
        return read_places(folder / layout.ROWS, manifest.count)
    except StoreUnreadable as error:
        raise IndexCorrupt(error.what, expected=error.expected, actual=error.actual) from error


def open_segments(
    version: Path,
    entries: Sequence[SegmentEntry],
    places: Places,
    *,
    fields: Sequence[MetadataField],
    dim: int,
    stores: Mapping[str, VectorStore] = MappingProxyType({}),
    device: SearchDevice = CPU,
    kept_records: int = KEPT_RECORDS,
) -> tuple[VectorStore, PhotoTable]:
    """The vectors and photos of the rows at `places`. `version`: the folder of a version, published or staged.

    `stores`: of segments that are open already, by name; `device`: where the others are searched. `kept_records`: see
    `PhotoStore`. Raises StoreUnreadable, IndexCorrupt.
    """
    if len(entries) == 1 and entries[0].live == entries[0].count == len(places):
        # Its rows are the gallery's: a map of them would be the largest thing in memory.
        (entry,) = entries
        folder = layout.segment_dir(version, entry.name)
        known = stores.get(entry.name)
        whole = known or open_store(folder, entry.search, count=entry.count, dim=dim, device=device)
        return whole, _photos(folder, fields, entry.count, kept_records)
    row_map = _row_map(entries, places)
    opened, photos = [], []
    for number, entry in enumerate(entries):
        folder, live = layout.segment_dir(version, entry.name), row_map.live(number)
        some = None if entry.live == entry.count else live
        store = stores.get(entry.name)
        opened.append(store or open_store(folder, entry.search, count=entry.count, dim=dim, live=some, device=device))
        photos.append(_photos(folder, fields, entry.count, kept_records))
    return SegmentedStore(opened, row_map), SegmentedPhotos(photos, row_map)


def _open_in_milvus(
    version: Path, manifest: IndexManifest, name: str, server: MilvusServer
) -> tuple[VectorStore, PhotoTable]:
    row_map = _row_map(manifest.segments, places_of(version, manifest))
    names = tuple(entry.name for entry in manifest.segments)
    photos = [
        _photos(layout.segment_dir(version, entry.name), manifest.metadata_fields, entry.count)
        for entry in manifest.segments
    ]
    collection = Collection(name, names, row_map, manifest.embedding_dim)
    store = open_collection(server, collection, manifest.search)
    return store, photos[0] if manifest.is_one_part else SegmentedPhotos(photos, row_map)


def _row_map(entries: Sequence[SegmentEntry], places: Places) -> RowMap:
    row_map = RowMap(places, [entry.count for entry in entries])
    for number, entry in enumerate(entries):
        if (live := len(row_map.live(number))) != entry.live:
            raise StoreUnreadable(layout.ROWS, expected=f"{entry.live} rows of {entry.name}", actual=live)
    return row_map


def _photos(folder: Path, fields: Sequence[MetadataField], count: int, kept_records: int = KEPT_RECORDS) -> PhotoStore:
    photos = PhotoStore(folder / layout.PHOTOS, fields, kept_records=kept_records)
    # Also where no hashes are checked: rows of unequal files would name the wrong photos.
    if (actual := photos.count()) != count:
        photos.close()
        raise StoreUnreadable(layout.PHOTOS, expected=f"{count} photos", actual=f"{actual} photos")
    return photos
