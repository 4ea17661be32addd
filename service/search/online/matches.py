"""Which of the photos that changed online match a filter."""

from __future__ import annotations

from collections.abc import Sequence, Set

import numpy as np

from index_builder.artifact import MetadataField, MetadataValue, PhotoFilter, meets, photo_words
from models.arrays import Rows
from service.search.online.rows import OnlineRows
from service.store.records import OnlinePhoto


def matching_slots(online: OnlineRows, where: PhotoFilter, fields: Sequence[MetadataField]) -> Rows:
    """Ascending slots of photos that match. A photo without a value of a field matches as one that lacks it.

    Raises FilterInvalid.
    """
    slots = online.in_categories(where.categories) if where.categories else online.live
    if where.words is not None:
        found = [slot for slot in slots.tolist() if where.words.meets(_words_of(online.photo(slot)))]
        slots = np.array(found, np.int64)
    if not where.conditions:
        return slots
    names = {field.name for field in fields}
    return np.array(
        [
            slot
            for slot in slots.tolist()
            if all(meets(clause, _values_of(online.photo(slot), names), fields) for clause in where.conditions)
        ],
        np.int64,
    )


def _words_of(photo: OnlinePhoto) -> tuple[str, ...]:
    return photo_words(photo.photo_id, photo.category, photo.metadata.values())


def _values_of(photo: OnlinePhoto, fields: Set[str]) -> dict[str, MetadataValue]:
    """What is known of a photo, without what a column of the gallery's manifest of the same name hides."""
    values: dict[str, MetadataValue] = {
        "category": photo.category,
        "photo_id": photo.photo_id,
        "width": photo.width,
        "height": photo.height,
    }
    return {name: value for name, value in values.items() if name not in fields} | dict(photo.metadata)
