"""Untrusted bytes to an 8-bit image: one decoder for photos and sketches, limits checked before pixels exist."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TypeAlias

from PIL import Image, ImageOps

from models.images.errors import ImageError, ImageTooLarge, ImageUnreadable, ImageUnsupported
from models.images.formats.inspection import format_of, inspect
from models.images.grounds import Matte, in_rgb, is_grey, to_rgb
from models.images.limits import ImageLimits
from models.images.plugins import EXTRAS, UNREAD, plugin_formats
from models.images.raster import Raster, read_header, read_raster

SKETCH_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
"""What drawing programs, pages and phones send; decoders of other formats never see a sketch."""
PHOTO_FORMATS = (*SKETCH_FORMATS, "TIFF", "AVIF", "HEIF")
"""What a gallery may hold; HEIF (HEIC) where its extra is installed."""

_PNG_SIZE = slice(16, 24)  # width and height in IHDR
_QUICK_SIDE_PX, _QUICK_BYTES = 1024, 2**17
_QUICK_WORKING_BYTES = 8 * 2**20  # 1024 x 1024 pixels of 16 bits in four channels
_SMALL_BYTES = 16 * 2**20  # a PNG or JPEG that takes no more is decoded in this process

ImageFile: TypeAlias = bytes | Path | Image.Image | Callable[[], bytes | Image.Image]
"""An image wherever it lies: a file's bytes, its path, an image that is open, or a call that gives bytes or an image.

A path or a call costs no memory until its turn comes, so long streams should hold those.
"""


@dataclass(frozen=True)
class DecodedImage:
    """An upright 8-bit image, RGB unless grey was to be kept, and what its file said of itself.

    `width` and `height` are the file's, upright, in pixels; `image` is smaller when it was decoded with `draft_px`, and
    where a side is longer than MAX_SIDE_PX. `repairs`: what was wrong with the file and did not matter, for people.
    """

    image: Image.Image
    width: int
    height: int
    format: str
    frames: int
    repairs: tuple[str, ...] = ()


def decode_image(
    data: bytes,
    limits: ImageLimits | None = None,
    *,
    draft_px: int | None = None,
    matte: Matte = "white",
    keep_grey: bool = False,
) -> DecodedImage:
    """First frame of `data`, upright (EXIF), as 8-bit RGB; with `keep_grey`, a small file of 8-bit grey as L.

    CMYK, palette, grey and 16-bit images are converted, deep grey by its own range. Transparency is composited on
    `matte`.
    `draft_px` lets a JPEG be decoded at a reduced scale whose sides are still at least that long (about 4x cheaper).

    Raises ImageTooLarge, ImageUnsupported, ImageUnreadable, SandboxBusy (no child process of `limits` is free).
    """
    limits = limits or ImageLimits()
    if not data:
        raise ImageUnreadable("the image is empty (0 bytes)")
    if len(data) > limits.max_bytes:
        raise ImageTooLarge(f"the image has {len(data):,} bytes; at most {limits.max_bytes:,} are accepted")
    raster = _raster(data, limits, draft_px, matte, keep_grey)
    return DecodedImage(raster.image, raster.width, raster.height, raster.format, raster.frames, raster.repairs)


def _raster(data: bytes, limits: ImageLimits, draft_px: int | None, matte: Matte, keep_grey: bool) -> Raster:
    """In RGB; decoded here where it is a small file in a format whose decoder is simple, else in a child, if any."""
    formats = accepted_formats()
    if (found := format_of(data)) in EXTRAS and found not in formats:
        raise ImageUnsupported(f"{found} is read where the extra `{EXTRAS[str(found)]}` of this package is installed")
    if found in UNREAD:
        raise ImageUnsupported(f"{UNREAD[str(found)]} is not read; save the image as {', '.join(formats)}")
    header = read_header(
        data,
        formats,
        max_pixels=limits.max_pixels,
        max_working_bytes=limits.max_working_bytes,
        draft_px=draft_px,
    )
    small = header.format in ("PNG", "JPEG") and header.working_bytes <= _SMALL_BYTES
    with limits.budget.reserved(header.working_bytes) if limits.budget else nullcontext():
        if limits.isolated is None or small:
            raster = read_raster(header, max_pixels=limits.max_pixels, draft_px=draft_px)
            return raster if keep_grey and is_grey(raster.image) else in_rgb(raster, matte)
        raster = limits.isolated.raster(header.content, formats, limits.max_pixels, draft_px, matte)
    # What was left out of the content, the child did not see.
    return replace(raster, frames=max(raster.frames, header.frames), repairs=raster.repairs or header.repairs)


def decodes_quickly(data: bytes, limits: ImageLimits, draft_px: int | None = None) -> bool:
    """Whether decoding takes some milliseconds at most, in this process, and waits for nobody; of PNG and JPEG alone.

    By the size of a PNG; by the length of a JPEG, and the memory that it takes.
    """
    if limits.budget is not None and limits.budget.left < _QUICK_WORKING_BYTES:
        return False
    format = format_of(data)
    if format == "PNG":
        return len(data) >= _PNG_SIZE.stop and max(struct.unpack(">II", data[_PNG_SIZE])) <= _QUICK_SIDE_PX
    if format != "JPEG" or len(data) > _QUICK_BYTES:
        return False
    try:
        return inspect(data, format, draft_px).working_bytes <= _QUICK_WORKING_BYTES
    except ImageError:
        return True  # it is rejected at once


def accepted_formats() -> tuple[str, ...]:
    """PHOTO_FORMATS whose decoder is installed."""
    return _accepted(plugin_formats())


@cache
def _accepted(plugins: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(format for format in PHOTO_FORMATS if format not in EXTRAS or format in plugins)


def read_content(file: ImageFile, limits: ImageLimits | None = None) -> bytes | Image.Image:
    """A file's bytes, or the image where it is open already.

    A file beyond `limits.max_bytes` is rejected by its size before it is read: it may be larger than the memory.
    Raises ImageTooLarge, OSError, and what a call raises.
    """
    if isinstance(file, Path):
        limits = limits or ImageLimits()
        if (size := file.stat().st_size) > limits.max_bytes:
            raise ImageTooLarge(f"the image has {size:,} bytes; at most {limits.max_bytes:,} are accepted")
        return file.read_bytes()
    return file if isinstance(file, bytes | Image.Image) else file()


def open_image(
    file: ImageFile,
    limits: ImageLimits | None = None,
    *,
    draft_px: int | None = None,
    matte: Matte = "white",
    keep_grey: bool = False,
) -> DecodedImage:
    """As `decode_image`, from wherever the image lies; of an open image, whoever opened it has checked the limits.

    Raises ImageTooLarge, ImageUnsupported, ImageUnreadable, OSError, and what a call raises.
    """
    content = read_content(file, limits)
    if isinstance(content, bytes):
        return decode_image(content, limits, draft_px=draft_px, matte=matte, keep_grey=keep_grey)
    try:
        upright = ImageOps.exif_transpose(content)
        seen = upright if keep_grey and is_grey(upright) else to_rgb(upright, matte)
        return DecodedImage(seen, upright.width, upright.height, content.format or "", 1)
    except Exception as error:  # an open image may not be decoded yet: as in `decode_image`
        raise ImageUnreadable(f"the {content.format} image is broken or truncated: {error}") from error
