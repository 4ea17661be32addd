"""One photo uploaded, described anew or deleted: on the disk before a call returns. Blocking; for worker threads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from index_builder.artifact import PhotoRecord
from service.changes.metadata import checked_metadata
from service.changes.names import category_of, checked_name, new_photo_id
from service.search.online.upload import embedded_photo
from service.search.retriever import Retriever
from service.store.records import NewPhoto, PhotoPatch


@dataclass(frozen=True, slots=True)
class PhotoUpload:
    """A photo as it was sent: `image`, the file; None of the others: what the id says, and no metadata."""

    photo_id: str
    image: bytes
    category: str | None = None
    metadata: Mapping[str, Any] | None = None


def checked_upload(retriever: Retriever, upload: PhotoUpload) -> PhotoUpload:
    """The upload with names and values as they are stored. Raises NameInvalid, MetadataInvalid."""
    photo_id = new_photo_id(upload.photo_id)
    category = category_of(photo_id) if upload.category is None else checked_category(upload.category)
    metadata = checked_metadata(upload.metadata or {}, retriever.index.manifest.metadata_fields)
    given = {name: value for name, value in metadata.items() if value is not None}
    return PhotoUpload(photo_id, upload.image, category, given)


def prepared(retriever: Retriever, upload: PhotoUpload) -> NewPhoto:
    """A checked upload as it is stored; a file that is known already is not embedded again.

    Raises ImageError, QueueFull.
    """
    category, metadata = upload.category or "", upload.metadata or {}
    known = retriever.store.content_of(hashlib.sha256(upload.image).hexdigest())
    if known is not None and known.image == upload.image:
        photo = replace(known.photo, photo_id=upload.photo_id, category=category, metadata=metadata)
        return replace(known, photo=photo)
    return embedded_photo(retriever.bundle, retriever.decoder, upload.photo_id, category, upload.image, metadata)


def put(retriever: Retriever, upload: PhotoUpload, max_photos: int) -> tuple[PhotoRecord, bool]:
    """Store a photo in place of what its id was; its record, and whether there was none.

    Raises NameInvalid, MetadataInvalid, ImageError, QueueFull, OnlinePhotosLimit, OnlineFull, OnlineUnwritable.
    """
    new = prepared(retriever, checked_upload(retriever, upload))
    is_new = not retriever.gallery().view.has_photo(new.photo.photo_id)
    retriever.store.put_photos([new], max_photos)
    return retriever.gallery().view.photo(new.photo.photo_id), is_new


def describe(retriever: Retriever, photo_id: str, category: str | None, metadata: Mapping[str, Any]) -> PhotoRecord:
    """Change a photo's category (None: as it is) and values of metadata (None takes one away); its record then.

    Raises PhotoNotFound, NameInvalid, MetadataInvalid, OnlineFull, OnlineUnwritable.
    """
    known = retriever.gallery().view.photo(photo_id)
    patch = PhotoPatch(
        known.photo_id,
        None if category is None else checked_category(category),
        checked_metadata(metadata, retriever.index.manifest.metadata_fields),
    )
    if patch.category is not None or patch.metadata:
        retriever.store.patch_photo(patch)
    return retriever.gallery().view.photo(known.photo_id)


def delete(retriever: Retriever, photo_id: str) -> None:
    """Take a photo out of the gallery, uploaded or indexed. Raises PhotoNotFound, OnlineUnwritable."""
    retriever.store.delete_photo(retriever.gallery().view.photo(photo_id).photo_id)


def checked_category(name: str) -> str:
    """A category as it is stored; "" for none. Raises NameInvalid."""
    return checked_name("category", name) if name else ""
