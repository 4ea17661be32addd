"""How many photos show a thing alone on a plain ground, told from their thumbnails."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
from PIL import Image

from index_builder.artifact.segments.photos import PhotoTable
from models.bundle import AloneShares, alone_shares, stands_alone


def measure_alone(photos: PhotoTable, known: Mapping[str, float]) -> AloneShares:
    """Of all photos and of each category, see `alone_shares`; "" holds those of no category."""
    categories = photos.row_categories()
    every = np.arange(len(categories.codes))
    return alone_shares(every, dict(categories.rows()), lambda row: _is_alone(photos, int(row)), known)


def _is_alone(photos: PhotoTable, row: int) -> bool:
    (record,) = photos.photos([row])
    with Image.open(io.BytesIO(photos.thumbnail(record.photo_id).jpeg)) as image:
        return stands_alone(image.convert("RGB"))
