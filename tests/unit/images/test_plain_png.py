"""A plain PNG is decoded without Pillow's reader of chunks: to the same pixels, or not at all."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from models.images import ImageUnreadable, decode_image
from models.images.formats.png import SIGNATURE, chunk, decoded_plainly, inspect

RNG = np.random.default_rng(3)


def encoded(mode: str, size: tuple[int, int] = (37, 23), **options: object) -> bytes:
    pixels = RNG.integers(0, 256, (size[1], size[0], 4), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, "PNG", **options)
    return buffer.getvalue()


def plainly(data: bytes) -> Image.Image | None:
    return decoded_plainly(inspect(data).content)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("size", [(1, 1), (37, 23), (256, 256), (700, 400)])
def test_plain_files_have_pillows_pixels(mode: str, size: tuple[int, int]) -> None:
    data = encoded(mode, size)
    read, expected = plainly(data), Image.open(io.BytesIO(data))
    assert read is not None and (read.mode, read.size) == (mode, size)
    assert read.tobytes() == expected.tobytes()


@pytest.mark.parametrize("mode", ["1", "P", "LA", "RGBA", "I;16"])
def test_other_modes_are_left_to_pillow(mode: str) -> None:
    data = encoded("L") if mode == "I;16" else encoded(mode)
    if mode == "I;16":
        buffer = io.BytesIO()
        Image.fromarray(RNG.integers(0, 65536, (9, 9), np.uint16)).save(buffer, "PNG")
        data = buffer.getvalue()
    assert plainly(data) is None


def test_a_transparent_colour_is_left_to_pillow() -> None:
    assert plainly(encoded("L", transparency=7)) is None
    assert plainly(encoded("RGB", transparency=(1, 2, 3))) is None


def test_pixels_in_several_chunks() -> None:
    rows = b"".join(b"\0" + bytes(range(row, row + 8)) for row in range(8))
    packed = zlib.compress(rows)
    head = chunk(b"IHDR", b"\0\0\0\x08\0\0\0\x08\x08\0\0\0\0")
    pieces = [chunk(b"IDAT", packed[start : start + 3]) for start in range(0, len(packed), 3)]
    read = plainly(b"".join((SIGNATURE, head, *pieces, chunk(b"IEND", b""))))
    assert read is not None and np.array_equal(np.asarray(read), np.add.outer(np.arange(8), np.arange(8)))


def test_broken_files_are_left_to_pillow_which_says_why() -> None:
    data = encoded("L")
    start = data.index(b"IDAT") + 4
    truncated = data[: start + 40]
    header = data[:19] + bytes((data[19] ^ 1,)) + data[20:]
    for broken in (truncated, data[:start] + b"\0" * 20 + data[start + 20 :], header):
        assert plainly(broken) is None
        with pytest.raises(ImageUnreadable):
            decode_image(broken)
