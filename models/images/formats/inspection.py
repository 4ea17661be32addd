"""Which format a file is in, by its first bytes; the name of a file does not count."""

from __future__ import annotations

from models.images.formats import gif, jpeg, png, webp
from models.images.formats.header import Header
from models.images.formats.others import box_format, inspect_bmp, inspect_boxes, inspect_tiff

_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_JXL_STARTS = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
_STARTS = (
    ("JPEG", (b"\xff\xd8\xff",)),
    ("GIF", (b"GIF87a", b"GIF89a")),
    ("TIFF", _TIFF_STARTS),
    ("JXL", _JXL_STARTS),
)


def format_of(data: bytes) -> str | None:
    """Pillow's name of the format; None for all that is not listed."""
    if data.startswith(png.SIGNATURE):
        return "PNG"
    for format, starts in _STARTS:
        if data.startswith(starts):
            return format
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    # "BM" alone begins many a text: the size of the second header has to be one that exists.
    if data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124):
        return "BMP"
    return box_format(data)


def inspect(data: bytes, format: str, draft_px: int | None) -> Header:
    """The header of a file in `format`. Raises ImageUnreadable, ImageUnsupported, ImageTooLarge."""
    if format == "JPEG":
        return jpeg.inspect(data, draft_px)
    if format in ("AVIF", "HEIF"):
        return inspect_boxes(data, format)
    return _INSPECT[format](data)


_INSPECT = {
    "PNG": png.inspect,
    "GIF": gif.inspect,
    "WEBP": webp.inspect,
    "BMP": inspect_bmp,
    "TIFF": inspect_tiff,
}
