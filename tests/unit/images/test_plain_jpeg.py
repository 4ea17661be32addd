"""The picture of a JPEG alone: the very pixels of the file, and not a byte of what is around them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.images import plain_picture

_SIZE = (96, 64)


def picture(mode: str = "RGB") -> Image.Image:
    levels = np.random.default_rng(0).integers(0, 255, (8, 12, 3), dtype=np.uint8)
    return Image.fromarray(levels).resize(_SIZE, Image.Resampling.BILINEAR).convert(mode)


def encoded(mode: str = "RGB", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture(mode).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "where it was taken"
    return exif


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("restarts", [0, 2])
@pytest.mark.parametrize("quality", [40, 95])
def test_it_decodes_to_the_same_pixels(mode: str, restarts: int, quality: int) -> None:
    file = encoded(mode, quality=quality, restart_marker_blocks=restarts, comment=b"secret", exif=turned(1))
    alone = plain_picture(file + b"secret trailer \xff\xd9", _SIZE)
    assert alone is not None
    assert alone.startswith(b"\xff\xd8\xff")
    assert alone.endswith(b"\xff\xd9")
    assert b"secret" not in alone
    assert b"taken" not in alone
    assert b"Exif" not in alone
    np.testing.assert_array_equal(Image.open(io.BytesIO(alone)), Image.open(io.BytesIO(file)))


@pytest.mark.parametrize(
    "file",
    [
        encoded(progressive=True),
        encoded(exif=turned(6)),
        encoded("CMYK"),
        encoded()[:-2],
        encoded()[:200],
        b"\xff\xd8\xff\xd9",
        b"",
    ],
    ids=["progressive", "turned", "four colours", "without an end", "cut short", "empty picture", "nothing"],
)
def test_of_any_other_file_there_is_none(file: bytes) -> None:
    assert plain_picture(file, _SIZE) is None


def test_of_another_size_there_is_none() -> None:
    assert plain_picture(encoded(), (_SIZE[0] // 2, _SIZE[1] // 2)) is None
