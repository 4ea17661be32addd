"""GIF: its size, how many frames, and the file cut off after the first one (GIF89a specification)."""

from __future__ import annotations

from models.images.formats.header import MAX_FRAMES, Header, unpack

_TRAILER = b";"
_EXTENSION, _IMAGE = 0x21, 0x2C
_MAX_BLOCKS = 200_000  # sub-blocks looked at when frames are counted


def inspect(data: bytes) -> Header:
    """The header of a GIF, whose `content` ends with the first frame. Raises ImageUnreadable."""
    width, height, flags = unpack("<HHB", data, 6, "GIF")
    position = 13 + _table_bytes(flags)
    frames, blocks, first_end = 0, 0, len(data)
    while position < len(data) and frames < MAX_FRAMES and blocks < _MAX_BLOCKS:
        kind = data[position]
        if kind == _EXTENSION:
            position += 2
        elif kind == _IMAGE:
            left, top, own_width, own_height, own_flags = unpack("<HHHHB", data, position + 1, "GIF")
            if frames == 0:  # a frame may reach beyond the screen, which then grows
                width, height = max(width, left + own_width), max(height, top + own_height)
            position += 11 + _table_bytes(own_flags)
        else:
            break
        while position < len(data) and data[position]:
            position += data[position] + 1
            blocks += 1
        position += 1
        if kind == _IMAGE:
            frames += 1
            first_end = position if frames == 1 else first_end
    content = data[:first_end] + _TRAILER if frames > 1 else data
    return Header("GIF", width, height, 3 * width * height, content, max(1, frames))


def _table_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0
