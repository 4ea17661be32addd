"""WebP: its size and frames from its chunks (RFC 9649)."""

from __future__ import annotations

from models.images.errors import ImageUnreadable
from models.images.formats.header import MAX_FRAMES, Header, unpack

# Measured: libwebp holds two canvases and the frame, Pillow a copy and the image; four bytes a pixel each.
_WORKING_BYTES = 17
_MAX_CHUNKS = 5_000


def inspect(data: bytes) -> Header:
    """The header of a WebP. Raises ImageUnreadable."""
    kind = data[12:16]
    if kind == b"VP8X":
        low_width, high_width, low_height, high_height = unpack("<HBHB", data, 24, "WEBP")
        width, height = 1 + low_width + (high_width << 16), 1 + low_height + (high_height << 16)
    elif kind == b"VP8L":
        (bits,) = unpack("<I", data, 21, "WEBP")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in unpack("<HH", data, 26, "WEBP"))
    else:
        raise ImageUnreadable("the WEBP image is broken or truncated: it holds no picture")
    return Header("WEBP", width, height, _WORKING_BYTES * width * height, data, _frames(data))


def _frames(data: bytes) -> int:
    frames, position = 0, 12
    for _ in range(_MAX_CHUNKS):
        if position + 8 > len(data) or frames == MAX_FRAMES:
            break
        (length,) = unpack("<I", data, position + 4, "WEBP")
        frames += data[position : position + 4] == b"ANMF"
        position += 8 + length + length % 2
    return max(1, frames)
