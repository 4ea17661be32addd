"""What changed online, written for the index builder: photos with their vectors, and ids of deleted ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from index_builder.artifact import OnlineChanges, OnlineMark, PhotoRecord, Thumbnail, write_changes
from models.arrays import Vectors
from service.search.gallery_view import GalleryView
from service.search.retriever import Retriever


def hand_over(retriever: Retriever, folder: Path) -> OnlineChanges | None:
    """Write the changes that the index lacks into `folder`, which must not exist; None where there are none.

    Raises OSError, OnlineCorrupt.
    """
    view = retriever.gallery().view
    if not view.changes.store_id or view.changes.change <= view.changes.sealed:
        return None
    photos = sorted(_photos(view), key=lambda photo: photo[0].photo_id)
    # Without a vector by this bundle, or gone in this moment: what the index has under such an id is outdated.
    others = {photo.photo_id for photo in view.changes.photos if not photo.is_example}
    others -= {record.photo_id for record, _, _ in photos}
    changes = OnlineChanges(
        mark=OnlineMark(store_id=view.changes.store_id, change=view.changes.change),
        since=view.changes.sealed,
        bundle_id=view.index.bundle_id,
        embedding_dim=view.index.embedding_dim,
        metadata_fields=view.index.manifest.metadata_fields,
        count=len(photos),
        deleted=tuple(sorted(others | view.changes.deleted.keys())),
    )
    numbered = ((replace(one, row=row), small, vector) for row, (one, small, vector) in enumerate(photos))
    write_changes(folder, changes, numbered)
    return changes


def _photos(view: GalleryView) -> Iterator[tuple[PhotoRecord, Thumbnail, Vectors]]:
    """Each photo behind the rows of the index, as a segment has it: an upload without a path."""
    for photo in view.uploaded:
        assert photo.vector is not None
        if view.changes.photo(photo.photo_id) is None:
            thumbnail, path = view.index.thumbnail(photo.photo_id), view.index.photo(photo.photo_id).path
        else:
            stored, path = view.store.thumbnail(photo.photo_id), ""
            if stored is None:
                continue
            thumbnail = stored
        file = path, photo.sha256, photo.width, photo.height
        yield PhotoRecord(0, photo.photo_id, photo.category, *file, photo.metadata), thumbnail, photo.vector
