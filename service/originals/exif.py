"""The GPS fields of an Exif block, zeroed where they lie: the block keeps its length, and everything else."""

from __future__ import annotations

import struct

_GPS_TAG = 0x8825  # of the field that points to the directory of GPS fields (CIPA DC-008, section 4.6.3)
_ENTRY_BYTES = 12
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_MAX_DIRECTORIES = 64  # an honest file has four; a loop of pointers ends here


def exif_without_position(tiff: bytes) -> bytes | None:
    """The block with an empty directory of GPS fields; None when it has none.

    A block that cannot be walked is zeroed as a whole, since nobody knows what it says.
    """
    try:
        return _walked(tiff)
    except (struct.error, KeyError):
        return bytes(len(tiff)) if any(tiff) else None


def _walked(tiff: bytes) -> bytes | None:
    order = {b"II": "<", b"MM": ">"}[tiff[:2]]
    cleaned = bytearray(tiff)
    ahead, seen = [struct.unpack_from(order + "I", tiff, 4)[0]], set[int]()
    while ahead and len(seen) < _MAX_DIRECTORIES:
        directory = ahead.pop()
        if directory == 0 or directory in seen:
            continue
        seen.add(directory)
        places = _fields(tiff, order, directory)
        for at in places:
            if struct.unpack_from(order + "H", tiff, at)[0] == _GPS_TAG:
                _empty(cleaned, order, struct.unpack_from(order + "I", tiff, at + 8)[0])
        end = directory + 2 + _ENTRY_BYTES * len(places)
        if end + 4 <= len(tiff):
            ahead.append(struct.unpack_from(order + "I", tiff, end)[0])
    return bytes(cleaned) if cleaned != tiff else None


def _fields(tiff: bytes | bytearray, order: str, directory: int) -> list[int]:
    """Where each field of a directory begins. Raises struct.error when they do not lie within the block."""
    (count,) = struct.unpack_from(order + "H", tiff, directory)
    places = [directory + 2 + _ENTRY_BYTES * number for number in range(count)]
    if places and places[-1] + _ENTRY_BYTES > len(tiff):
        raise struct.error("a directory reaches beyond its block")
    return places


def _empty(tiff: bytearray, order: str, directory: int) -> None:
    """Zero the fields of a directory, and their values that lie elsewhere, and say that there are none."""
    for at in _fields(tiff, order, directory):
        kind, count, value = struct.unpack_from(order + "HII", tiff, at + 2)
        size = _TYPE_BYTES.get(kind, 1) * count
        if size > 4 and value < len(tiff):  # smaller ones lie in the field itself
            end = min(value + size, len(tiff))
            tiff[value:end] = bytes(end - value)
        tiff[at : at + _ENTRY_BYTES] = bytes(_ENTRY_BYTES)
    struct.pack_into(order + "H", tiff, directory, 0)
