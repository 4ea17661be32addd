"""Thumbnails, made alike for photos of the index and for uploaded ones."""

from __future__ import annotations

import hashlib
import io

import numpy as np
from PIL import Image

from index_builder.artifact.photos.record import Thumbnail
from models.images import format_of, plain_picture

THUMBNAIL_PX = 256
_THUMBNAIL_QUALITY = 82
_LARGEST_BYTES = 16 * 2**10  # twice what 256 x 256 pixels take at that quality
_KEPT_BYTES = 4 * _LARGEST_BYTES  # of a file whose metadata, which may be most of it, is left out
_EVEN_LEVELS = 3  # of 255, by which cells of one ground differ after compression


def make_thumbnail(image: Image.Image, file: bytes = b"") -> Thumbnail:
    """A JPEG of at most 256 px on its longer side; small images keep their size.

    `file`: what `image` was decoded from. Where that is a plain JPEG of a thumbnail's size, its picture is the
    thumbnail, without metadata: encoding it once more would cost as much as decoding it, and be a little worse.
    """
    # Never enlarged: a viewer does that as well, from fewer bytes.
    scale = min(1.0, THUMBNAIL_PX / max(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    small = image if size == image.size else image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    jpeg = _picture_of(file, size) if small is image else None
    if jpeg is None:
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=_THUMBNAIL_QUALITY)
        jpeg = buffer.getvalue()
    return Thumbnail(jpeg, hashlib.sha256(jpeg).hexdigest()[:16], difference_hash(small))


def _picture_of(file: bytes, size: tuple[int, int]) -> bytes | None:
    """The picture of a JPEG file that is no larger than thumbnails are."""
    if len(file) > _KEPT_BYTES or format_of(file) != "JPEG":
        return None
    picture = plain_picture(file, size)
    return picture if picture is not None and len(picture) <= _LARGEST_BYTES else None


def difference_hash(image: Image.Image) -> int:
    """64 bits, as a signed number: of 8 x 8 cells, whether each is darker than the next one to its right (dHash).

    Scaling, compression and brightness change few of them; on an even ground, none.
    """
    cells = image.convert("L").resize((9, 8), Image.Resampling.BOX).tobytes()
    grey = np.frombuffer(cells, np.uint8).reshape(8, 9).astype(np.int16)
    bits = np.packbits(grey[:, :-1] + _EVEN_LEVELS < grey[:, 1:])
    return int.from_bytes(bits.tobytes(), "big", signed=True)
