"""What is known of an image file before it is decoded."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from models.images.errors import ImageUnreadable

MAX_FRAMES = 1_000  # counted no further: only the first is used


@dataclass(frozen=True)
class Header:
    """A file's own account of itself.

    `format` is Pillow's name for it. `width` and `height` are as stored, 0 where only the decoder can tell. `frames`:
    at least that many. `working_bytes`: what decoding takes at its peak, pixels included. `content` is what the decoder
    is to see: without metadata that it would unpack for nothing. `repairs`: what was left out or put right, for people.
    """

    format: str
    width: int
    height: int
    working_bytes: int
    content: bytes = field(repr=False)
    frames: int = 1
    repairs: tuple[str, ...] = ()


def unpack(layout: str, data: bytes, offset: int, format: str) -> tuple[int, ...]:
    """Integers at `offset`. Raises ImageUnreadable where the data ends before."""
    try:
        return struct.unpack_from(layout, data, offset)
    except struct.error as error:
        raise ImageUnreadable(f"the {format} image is broken or truncated: it ends within its header") from error
