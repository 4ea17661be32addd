"""EXIF: which way is up, and nothing else (CIPA DC-008).

Pillow parses the whole block, thumbnails and makers' notes too, and warns of whatever is odd in it.
"""

from __future__ import annotations

import struct

START = b"Exif\0\0"
_ORIENTATION = 0x0112
_MAX_ENTRIES = 512


def exif_orientation(exif: bytes) -> int:
    """The orientation that a block of EXIF states, 1 to 8; 1 (upright) where it does not."""
    tiff = exif.removeprefix(START)
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (offset,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, offset)
        for entry in range(min(count, _MAX_ENTRIES)):
            tag, _, _, value = struct.unpack_from(order + "HHIH", tiff, offset + 2 + 12 * entry)
            if tag == _ORIENTATION:
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def minimal_exif(orientation: int) -> bytes:
    """A block that states an orientation alone, without `START`."""
    return b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHH", _ORIENTATION, 3, 1, orientation, 0) + bytes(4)
