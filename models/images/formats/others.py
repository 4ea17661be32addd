"""Formats that only their decoder understands: BMP, TIFF, AVIF, HEIC. What they take is estimated here."""

from __future__ import annotations

import re
import struct

from models.images.errors import ImageTooLarge
from models.images.formats.header import Header, unpack

_AVIF_BRANDS = (b"avif", b"avis")
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx")
_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257
# Measured at 16 megapixels, rounded up: bytes per pixel at the peak.
_BMP_BYTES, _TIFF_BYTES, _AVIF_BYTES, _HEIF_BYTES = 5, 9, 11, 9
_UNKNOWN_PIXELS = 16_000_000  # of a file that does not say where its size stands
_RUN_LENGTH = (1, 2)  # BI_RLE8, BI_RLE4
_MAX_RUNS_BYTES = 2**20  # Pillow decodes them in Python, a byte in 0.2 microseconds


def inspect_bmp(data: bytes) -> Header:
    """A BMP with either of its headers. Raises ImageUnreadable, ImageTooLarge (too many runs)."""
    (header_bytes,) = unpack("<I", data, 14, "BMP")
    if header_bytes == 12:
        width, height = unpack("<HH", data, 18, "BMP")
    else:
        width, height = map(abs, unpack("<ii", data, 18, "BMP"))
    # The older headers, of 12 and 16 bytes, know no compression.
    if header_bytes >= 40 and len(data) > _MAX_RUNS_BYTES and unpack("<I", data, 30, "BMP")[0] in _RUN_LENGTH:
        raise ImageTooLarge(
            f"the BMP image is run-length encoded and has {len(data):,} bytes; at most {_MAX_RUNS_BYTES:,} of that"
            " kind are decoded; save it as PNG"
        )
    return Header("BMP", width, height, _BMP_BYTES * width * height, data)


def inspect_tiff(data: bytes) -> Header:
    """A TIFF, by the first of its directories; one that keeps it elsewhere than usual is left to the decoder."""
    width, height = _tiff_size(data)
    return Header("TIFF", width, height, _TIFF_BYTES * (width * height or _UNKNOWN_PIXELS), data)


def inspect_boxes(data: bytes, format: str) -> Header:
    """An AVIF or HEIC, by the largest of its spatial extents (`ispe`, ISO/IEC 23008-12)."""
    sizes = [struct.unpack(">II", found[1]) for found in re.finditer(rb"ispe\0\0\0\0(.{8})", data[: 2**16], re.DOTALL)]
    width, height = max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))
    pixel_bytes = _AVIF_BYTES if format == "AVIF" else _HEIF_BYTES
    return Header(format, width, height, pixel_bytes * (width * height or _UNKNOWN_PIXELS), data)


def box_format(data: bytes) -> str | None:
    """AVIF or HEIF, by the brands of a file of boxes; None for another kind, such as a film."""
    if data[4:8] != b"ftyp":
        return None
    end = min(int.from_bytes(data[:4], "big"), 256)
    brands = [data[8:12], *(data[at : at + 4] for at in range(16, end, 4))]
    for format, known in (("AVIF", _AVIF_BRANDS), ("HEIF", _HEIC_BRANDS)):
        if any(brand in known for brand in brands):
            return format
    return None


def _tiff_size(data: bytes) -> tuple[int, int]:
    order = "<" if data[:2] == b"II" else ">"
    found: dict[int, int] = {}
    if data[2:4] not in (b"*\0", b"\0*"):  # BigTIFF has wider fields
        return 0, 0
    try:
        (offset,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, offset)
        for entry in range(min(count, 64)):
            tag, kind = struct.unpack_from(order + "HH", data, offset + 2 + 12 * entry)
            if tag in (_TIFF_WIDTH, _TIFF_HEIGHT):
                field = "H" if kind == 3 else "I"
                (found[tag],) = struct.unpack_from(order + field, data, offset + 10 + 12 * entry)
    except struct.error:
        return 0, 0
    return found.get(_TIFF_WIDTH, 0), found.get(_TIFF_HEIGHT, 0)
