"""Where a photo was taken, taken out of its file: same length, no pixel touched, nothing recompressed.

JPEG, PNG and WebP carry Exif blocks, whose GPS fields are zeroed, and XMP packets, which are blanked when they speak of
GPS. What may hide either in a form that is not looked into (compressed text, packets in parts) is zeroed.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from service.originals.exif import exif_without_position
from service.originals.opened import OpenedOriginal

_File: TypeAlias = bytes | OpenedOriginal

_APP1 = b"\xff\xe1"
_EXIF = b"Exif\x00\x00"
_XMP = b"http://ns.adobe.com/xap/1.0/\x00"
_XMP_IN_PARTS = b"http://ns.adobe.com/xmp/extension/\x00"
_PART_BYTES = 40  # of such a part: its packet's hash, length and place
_TIMES = 16  # a file is looked through again, at most
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_XMP = b"XML:com.adobe.xmp\x00"
_PNG_PROFILE = b"Raw profile type "  # ImageMagick writes Exif and XMP in hexadecimal, under this name


@dataclass(frozen=True, slots=True)
class _Block:
    """Bytes [start, end) of a file that are metadata; `chunk`: where the PNG chunk begins that they are in."""

    kind: Literal["exif", "xmp", "unknown"]
    start: int
    end: int
    chunk: int | None = None


def without_position(image: bytes) -> bytes:
    """The file without the position; the same object when it names none, as in formats without such blocks."""
    return _cleaned(image) or image


def file_without_position(original: OpenedOriginal) -> bytes | None:
    """What `without_position` makes of the file; None when it may be served as it is. Raises OSError."""
    return _cleaned(original)


def _cleaned(image: _File) -> bytes | None:
    cleaned = _cleaned_once(image)
    # In a damaged file what is zeroed may have hidden another position. Each time less is left to zero.
    for _ in range(_TIMES):
        again = None if cleaned is None else _cleaned_once(cleaned)
        if again is None or again == cleaned:
            break
        cleaned = again
    return cleaned


def _cleaned_once(image: _File) -> bytes | None:
    changed: bytearray | None = None
    for block in _blocks(image):
        # From what is cleaned already: the thumbnail within an Exif block may have one of its own.
        data = bytes(image[block.start : block.end] if changed is None else changed[block.start : block.end])
        cleaned = _block_without_position(block, data)
        if cleaned is None:
            continue
        changed = bytearray(image[:]) if changed is None else changed
        changed[block.start : block.end] = cleaned
        if block.chunk is not None:
            checksum = zlib.crc32(changed[block.chunk + 4 : block.end])
            changed[block.end : block.end + 4] = struct.pack(">I", checksum)
    return None if changed is None else bytes(changed)


def _block_without_position(block: _Block, data: bytes) -> bytes | None:
    if block.kind == "exif":
        return exif_without_position(data)
    if block.kind == "xmp":
        return b" " * len(data) if b"GPS" in data.replace(b"\x00", b"") else None  # UTF-16 has zeroes between
    return bytes(len(data)) if any(data) else None


def _blocks(image: _File) -> Iterator[_Block]:
    if image[:2] == b"\xff\xd8":
        yield from _jpeg_blocks(image)
    elif image[:8] == _PNG:
        yield from _png_blocks(image)
    elif image[:4] == b"RIFF" and image[8:12] == b"WEBP":
        yield from _webp_blocks(image)


def _jpeg_blocks(image: _File) -> Iterator[_Block]:
    """Every APP1 segment, also of pictures that phones append; compressed data has no such marker (T.81, B.1.1.5)."""
    at = image.find(_APP1)
    while at >= 0:
        body, end = at + 4, min(at + 2 + int.from_bytes(image[at + 2 : at + 4], "big"), len(image))
        start = image[body : body + len(_XMP_IN_PARTS)]
        if start.startswith(_EXIF[:4]):
            yield _Block("exif", body + len(_EXIF), end)
        elif start.startswith(_XMP):
            yield _Block("xmp", body + len(_XMP), end)
        elif start == _XMP_IN_PARTS:  # "GPS" may be cut in two
            yield _Block("unknown", body + len(_XMP_IN_PARTS) + _PART_BYTES, end)
        at = image.find(_APP1, at + 2)


def _png_blocks(image: _File) -> Iterator[_Block]:
    at = len(_PNG)
    while at + 12 <= len(image):
        length, kind = int.from_bytes(image[at : at + 4], "big"), image[at + 4 : at + 8]
        body, end = at + 8, at + 8 + length
        if end + 4 > len(image):
            return
        if kind == b"eXIf":
            yield _Block("exif", body, end, at)
        elif kind == b"iTXt" and image[body : body + len(_PNG_XMP)] == _PNG_XMP:
            compressed, text = body + len(_PNG_XMP), body + len(_PNG_XMP) + 2
            for _ in range(2):  # after the language and the translated keyword
                text = image.find(b"\x00", text, end) + 1 or end
            yield _Block("unknown" if image[compressed : compressed + 1] != b"\x00" else "xmp", text, end, at)
        elif kind in (b"zTXt", b"tEXt", b"iTXt") and image[body : body + len(_PNG_PROFILE)] == _PNG_PROFILE:
            yield _Block("unknown", image.find(b"\x00", body, end) + 1 or end, end, at)
        at = end + 4


def _webp_blocks(image: _File) -> Iterator[_Block]:
    at = 12
    while at + 8 <= len(image):
        kind, length = image[at : at + 4], int.from_bytes(image[at + 4 : at + 8], "little")
        body, end = at + 8, min(at + 8 + length, len(image))
        if kind == b"EXIF":
            yield _Block("exif", body + (len(_EXIF) if image[body : body + len(_EXIF)] == _EXIF else 0), end)
        elif kind == b"XMP ":
            yield _Block("xmp", body, end)
        at += 8 + length + length % 2
