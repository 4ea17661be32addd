"""A view's rows after some changes, from those before them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from index_builder.artifact import GalleryIndex, PhotoNotFound, PhotoRecord
from models.arrays import Rows
from service.search.online.rows import OnlineRows, counted
from service.store.records import OnlinePhoto, PhotoPatch


@dataclass(frozen=True)
class Followed:
    """`hidden`: ascending rows of the index that are not found any more; `online`: what is found in their place, and
    more. `counts`: photos by category, without those of none. `touched`: the last change in a category.
    """

    online: OnlineRows
    hidden: Rows
    counts: Mapping[str, int]
    touched: Mapping[str, int]

    @classmethod
    def nothing(cls, index: GalleryIndex) -> Followed:
        """No change yet."""
        return cls(OnlineRows.empty(index.embedding_dim), np.empty(0, np.int64), dict(index.categories()), {})


def followed(
    index: GalleryIndex,
    before: Followed,
    photos: Sequence[OnlinePhoto],
    patches: Sequence[PhotoPatch],
    deleted: Sequence[str],
    change: int,
) -> Followed:
    """The rows after photos came, others were described anew, and others went; `change`: number of the last of these.

    A photo without a vector (of another bundle) hides what the index has under its id, and is not found itself. One
    that came with examples is left to the index where that holds its file in the same category.
    """
    if not (photos or patches or deleted):
        return before
    own = [photo for photo in photos if not photo.is_example or not _indexed_file(index, photo)]
    ids = [*(photo.photo_id for photo in own), *(patch.photo_id for patch in patches), *deleted]
    indexed = {photo_id: record for photo_id in ids if (record := _indexed(index, photo_id)) is not None}
    patched = [_patched(index, indexed[patch.photo_id], patch) for patch in patches if patch.photo_id in indexed]
    added = sorted([*(photo for photo in own if photo.vector is not None), *patched], key=lambda photo: photo.change)

    changed_ids = {*(photo.photo_id for photo in photos), *ids}
    gone = [before.online.photo(slot) for one in changed_ids if (slot := before.online.slot_of(one)) is not None]
    rows = np.array(sorted(record.row for record in indexed.values()), np.int64)
    newly_hidden = np.setdiff1d(rows, before.hidden, assume_unique=True)
    categories = {record.row: record.category for record in indexed.values()}
    went = [*(photo.category for photo in gone), *(categories[row] for row in newly_hidden.tolist())]
    came = [photo.category for photo in added]
    return Followed(
        before.online.changed(added, changed_ids),
        np.union1d(before.hidden, newly_hidden),
        counted(before.counts, filter(None, came), filter(None, went)),
        {**before.touched, **dict.fromkeys([*went, *came], change)},
    )


def _indexed_file(index: GalleryIndex, photo: OnlinePhoto) -> bool:
    return index.photo_with_bytes(photo.sha256, photo.category) is not None


def _indexed(index: GalleryIndex, photo_id: str) -> PhotoRecord | None:
    try:
        return index.photo(photo_id)
    except PhotoNotFound:
        return None


def _patched(index: GalleryIndex, record: PhotoRecord, patch: PhotoPatch) -> OnlinePhoto:
    metadata = {**record.metadata, **patch.metadata}
    return OnlinePhoto(
        record.photo_id,
        record.category if patch.category is None else patch.category,
        record.sha256,
        record.width,
        record.height,
        index.vector(record.row),
        {name: value for name, value in metadata.items() if value is not None},
        patch.change,
    )
