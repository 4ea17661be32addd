"""Changes that a service handed over, sealed into a segment: no photo is read, and none embedded."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from index_builder.artifact import GalleryIndex, PhotoNotFound, layout
from index_builder.artifact.errors import BundleMismatch
from index_builder.artifact.manifest import IndexManifest, OnlineMark, SegmentEntry
from index_builder.artifact.photos.record import PhotoRecord
from index_builder.artifact.photos.store import PhotoStore
from index_builder.artifact.segments.online_changes import OnlineChanges, read_changes
from index_builder.artifact.segments.opening import places_of
from index_builder.artifact.staging import new_segment
from index_builder.build.parts import Parts, built_segment, compacted
from index_builder.build.version import Made, described, embedded_sketches
from index_builder.build.work import Work
from index_builder.errors import ChangesUnfit, GalleryEmpty
from index_builder.segments.assemble import named_segments
from index_builder.segments.compact import merge_rows
from index_builder.segments.stamps import read_stamps, write_stamps
from index_builder.stores.choice import StoreVariant
from index_builder.stores.exact import ExactStore
from models.arrays import Rows


def stage_sealed(work: Work, base: GalleryIndex, folder: Path) -> IndexManifest | None:
    """The photos of `base` with the changes in `folder`, as a version that is not published yet.

    None where `base` holds them already. Raises ChangesUnfit, BundleMismatch, GalleryEmpty, IndexCorrupt, OSError.
    """
    changes = read_changes(folder)
    known = _sealed_already(base, changes)
    if known >= changes.mark.change:
        return None
    _check_fit(work, base, changes, known)
    photos = PhotoStore(folder / layout.PHOTOS, work.fields)
    try:
        added = list(photos.records())
        replaced = _replaced(base, [*(record.photo_id for record in added), *changes.deleted])
        kept = np.delete(np.arange(base.count), sorted(replaced))
        if not len(kept) and not added:
            raise GalleryEmpty(
                "every photo was deleted, and a version has one at least: the service hides the last ones"
            )
        sealed = _segment(work, folder, photos, changes) if added else None
    finally:
        photos.close()
    parts, order = _put_together(work, base, kept, added, sealed)
    known_stamps = read_stamps(layout.version_dir(work.out, base.version), base.count)[kept]
    stamps = np.concatenate([known_stamps, np.full((len(added), 2), -1, np.int64)])[order]
    uploads = base.manifest.online.photos if base.manifest.online else 0
    mark = OnlineMark(
        store_id=changes.mark.store_id,
        change=changes.mark.change,
        photos=max(0, uploads - _without_path(replaced.values())) + _without_path(added),
    )
    stamps_file = write_stamps(work.staging, stamps)
    parts = compacted(work, parts)
    return described(work, base, parts, embedded_sketches(work), Made(0, parts.count), stamps_file, mark)


def _sealed_already(base: GalleryIndex, changes: OnlineChanges) -> int:
    """The last change of the same store that `base` holds."""
    mark = base.manifest.online
    return mark.change if mark is not None and mark.store_id == changes.mark.store_id else 0


def _check_fit(work: Work, base: GalleryIndex, changes: OnlineChanges, known: int) -> None:
    if changes.bundle_id != work.bundle.bundle_id:
        raise BundleMismatch("bundle of the changes", expected=work.bundle.bundle_id, actual=changes.bundle_id)
    if changes.since > known:
        raise ChangesUnfit(
            f"the changes are those after number {changes.since}, and version {base.version} holds {known} of them: "
            "have them handed over again"
        )
    if changes.metadata_fields != base.manifest.metadata_fields:
        raise ChangesUnfit("the changes have other fields of metadata than the published version")
    if not base.manifest.segments:
        raise ChangesUnfit(f"version {base.version} is of an earlier release: run `inkseek index update` first")


def _replaced(base: GalleryIndex, photo_ids: list[str]) -> dict[int, PhotoRecord]:
    """The rows of `base`, and their records, that are not taken over."""
    replaced = {}
    for photo_id in photo_ids:
        try:
            record = base.photo(photo_id)
        except PhotoNotFound:
            continue
        replaced[record.row] = record
    return replaced


def _segment(
    work: Work, folder: Path, photos: PhotoStore, changes: OnlineChanges
) -> tuple[SegmentEntry, list[StoreVariant]]:
    vectors = ExactStore.open(folder / layout.VECTORS, count=changes.count, dim=work.dim)
    places = np.column_stack([np.zeros(changes.count), np.arange(changes.count)]).astype(np.int32)
    staging = new_segment(work.out)
    with work.stage("merge"):
        count = merge_rows(staging, [(vectors, photos)], places, fields=work.fields, dim=work.dim)
    entry, variants = built_segment(work, staging, count)
    return entry, list(variants)


def _put_together(
    work: Work,
    base: GalleryIndex,
    kept: Rows,
    added: list[PhotoRecord],
    sealed: tuple[SegmentEntry, list[StoreVariant]] | None,
) -> tuple[Parts, Rows]:
    """The segments with a row for each photo; and where each row was among those kept and then those added."""
    places = places_of(layout.version_dir(work.out, base.version), base.manifest)[kept]
    if sealed is None:
        return Parts(*named_segments(base.manifest.segments, places), {}), np.arange(len(kept))
    entry, variants = sealed
    number = len(base.manifest.segments)
    new = np.column_stack([np.full(len(added), number), np.arange(len(added))]).astype(np.int32)
    remaining = set(kept.tolist())
    ids = [record.photo_id for record in base.records() if record.row in remaining]
    # Rows are in the order of ids, and those added are, too.
    before = np.array([bisect_left(ids, record.photo_id) for record in added], np.int64)
    order = np.insert(np.arange(len(kept)), before, len(kept) + np.arange(len(added)))
    rows = np.concatenate([places, new])[order]
    return Parts(*named_segments([*base.manifest.segments, entry], rows), {entry.name: variants}), order


def _without_path(records: Iterable[PhotoRecord]) -> int:
    """How many of them were uploaded."""
    return sum(not record.path for record in records)
