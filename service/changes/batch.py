"""Many changes as one job: items as they were sent, to what is stored with the job, and from there to changes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from index_builder.artifact import PhotoNotFound, stored_id
from service.changes.metadata import checked_metadata
from service.changes.names import checked_name
from service.changes.photos import PhotoUpload, checked_category, checked_upload, prepared
from service.search.retriever import Retriever
from service.store.jobs.records import Deletion, ItemChange, JobItem
from service.store.records import PhotoPatch


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One change of a batch. With an `image` an upload, with `delete` a deletion, else a description.

    `category`, `metadata`: None where they are not named.
    """

    photo_id: str
    image: bytes | None = None
    delete: bool = False
    category: str | None = None
    metadata: Mapping[str, Any] | None = None


def queued_item(position: int, item: BatchItem) -> JobItem:
    """The item as it waits with its job."""
    described = [item.photo_id, item.delete, item.category, item.metadata]
    return JobItem(position, json.dumps(described), item.image)


def waiting_item(queued: JobItem) -> BatchItem:
    """The inverse of `queued_item`."""
    photo_id, delete, category, metadata = json.loads(queued.item)
    return BatchItem(photo_id, queued.image, delete, category, metadata)


def item_change(retriever: Retriever, position: int, item: BatchItem) -> ItemChange:
    """What the item is to become; an upload is embedded. Blocking; one job of a worker thread.

    Raises NameInvalid, MetadataInvalid, ImageError, QueueFull.
    """
    if item.image is not None:
        upload = PhotoUpload(item.photo_id, item.image, item.category, item.metadata)
        return ItemChange(position, prepared(retriever, checked_upload(retriever, upload)), False)
    photo_id = stored_id(checked_name("photo", item.photo_id))
    indexed = _is_indexed(retriever, photo_id)
    if item.delete:
        return ItemChange(position, Deletion(photo_id), indexed)
    category = None if item.category is None else checked_category(item.category)
    metadata = checked_metadata(item.metadata or {}, retriever.index.manifest.metadata_fields)
    return ItemChange(position, PhotoPatch(photo_id, category, metadata), indexed)


def _is_indexed(retriever: Retriever, photo_id: str) -> bool:
    try:
        retriever.index.photo(photo_id)
    except PhotoNotFound:
        return False
    return True
