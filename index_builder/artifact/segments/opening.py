"""A version's vectors and photos, whether its own folder holds them or segments do."""

from __future__ import annotations

from pathlib import Path

from index_builder.artifact import layout
from index_builder.artifact.errors import IndexCorrupt
from index_builder.artifact.manifest import IndexManifest
from index_builder.artifact.photo_store import PhotoStore
from index_builder.artifact.segments.photos import PhotoTable, SegmentedPhotos
from index_builder.stores.base import VectorStore
from index_builder.stores.choice import open_store
from index_builder.stores.errors import StoreUnreadable
from index_builder.stores.row_map import RowMap
from index_builder.stores.segmented import SegmentedStore


def open_parts(folder: Path, manifest: IndexManifest) -> tuple[VectorStore, PhotoTable]:
    """The vectors and the photos of the version in `folder`, whose rows are the same. Raises IndexCorrupt."""
    try:
        if manifest.is_one_part:
            return _open_one(folder, manifest)
        return _open_segments(folder, manifest)
    except StoreUnreadable as error:
        raise IndexCorrupt(error.what, expected=error.expected, actual=error.actual) from error


def _open_one(folder: Path, manifest: IndexManifest) -> tuple[VectorStore, PhotoTable]:
    if manifest.segments:
        folder = layout.segment_dir(folder, manifest.segments[0].name)
    search = manifest.segments[0].search if manifest.segments else manifest.search
    store = open_store(folder, search, count=manifest.count, dim=manifest.embedding_dim)
    return store, _photos(folder, manifest, manifest.count)


def _open_segments(folder: Path, manifest: IndexManifest) -> tuple[VectorStore, PhotoTable]:
    sizes = [entry.count for entry in manifest.segments]
    row_map = RowMap.read(folder / layout.ROWS, count=manifest.count, sizes=sizes)
    stores, photos = [], []
    for number, entry in enumerate(manifest.segments):
        of_segment, live = layout.segment_dir(folder, entry.name), row_map.live(number)
        if len(live) != entry.live:
            raise StoreUnreadable(layout.ROWS, expected=f"{entry.live} rows of {entry.name}", actual=len(live))
        some = None if entry.live == entry.count else live
        dim = manifest.embedding_dim
        stores.append(open_store(of_segment, entry.search, count=entry.count, dim=dim, live=some))
        photos.append(_photos(of_segment, manifest, entry.count))
    return SegmentedStore(stores, row_map), SegmentedPhotos(photos, row_map)


def _photos(folder: Path, manifest: IndexManifest, count: int) -> PhotoStore:
    photos = PhotoStore(folder / layout.PHOTOS, manifest.metadata_fields)
    # Also where no hashes are checked: rows of unequal files would name the wrong photos.
    if (actual := photos.count()) != count:
        photos.close()
        raise StoreUnreadable(layout.PHOTOS, expected=f"{count} photos", actual=f"{actual} photos")
    return photos
