"""How many photos show a thing alone on a plain ground, told from their thumbnails."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cache

from PIL import Image

from index_builder.artifact.segments.photos import PhotoTable
from models.bundle import AloneShares, alone_shares, stands_alone


def measure_alone(photos: PhotoTable, known: Mapping[str, float]) -> AloneShares:
    """Of all photos and of each category, see `alone_shares`; "" holds those of no category."""
    categories = photos.row_categories()

    @cache  # a photo may be sampled for its category and for all
    def is_alone(row: int) -> bool:
        (record,) = photos.photos([row])
        with Image.open(io.BytesIO(photos.thumbnail(record.photo_id).jpeg)) as image:
            return stands_alone(image.convert("RGB"))

    return alone_shares(range(len(categories.codes)), dict(categories.rows()), lambda row: is_alone(int(row)), known)
