"""Thumbnails, made alike for photos of the index and for uploaded ones."""

from __future__ import annotations

import hashlib
import io

from PIL import Image

from index_builder.artifact.photo_store import Thumbnail

THUMBNAIL_PX = 256
_THUMBNAIL_QUALITY = 82


def make_thumbnail(image: Image.Image) -> Thumbnail:
    """A JPEG of at most 256 px on its longer side; small images keep their size."""
    # Never enlarged: a viewer does that as well, from fewer bytes.
    scale = min(1.0, THUMBNAIL_PX / max(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    small = image if size == image.size else image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=_THUMBNAIL_QUALITY)
    jpeg = buffer.getvalue()
    return Thumbnail(jpeg=jpeg, etag=hashlib.sha256(jpeg).hexdigest()[:16])
