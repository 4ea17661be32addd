"""A file to a raster in the file's own mode: upright, its first frame, no side longer than MAX_SIDE_PX."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops

from models.images.errors import ImageTooLarge, ImageUnreadable, ImageUnsupported
from models.images.formats import jpeg, png
from models.images.formats.exif import exif_orientation
from models.images.formats.header import Header
from models.images.formats.inspection import format_of, inspect
from models.images.plugins import register_plugins

MAX_SIDE_PX = 2048
"""Longest side that is kept: encoders see 384 px at most, and every conversion costs several bytes per pixel."""

_STRIP_PIXELS = 2**18
_TRUNCATED_SHARE = 1 / 16  # of the rows that may be missing at the end
_ORIENTATION = 0x0112
_BITS_PER_SAMPLE, _PHOTOMETRIC, _MAX_SAMPLE_VALUE = 258, 262, 281  # TIFF 6.0, section 8
_WHITE_IS_ZERO = 0
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Raster:
    """Pixels in the mode of their file, and the file's upright `width` and `height`, which may be larger.

    `repairs` says, for people, what was wrong with the file and did not matter.
    """

    image: Image.Image
    width: int
    height: int
    format: str
    frames: int
    repairs: tuple[str, ...] = ()


def read_header(
    data: bytes, formats: tuple[str, ...], *, max_pixels: int, max_working_bytes: int, draft_px: int | None
) -> Header:
    """The header of a file, checked against the limits; no pixel exists yet.

    Raises ImageUnsupported, ImageUnreadable, ImageTooLarge.
    """
    format = format_of(data)
    if format is None or format not in formats:
        raise ImageUnsupported(f"not an image in one of the accepted formats: {', '.join(formats)}")
    header = inspect(data, format, draft_px)
    _check_pixels(header.width, header.height, max_pixels)
    if header.working_bytes > max_working_bytes:
        raise ImageTooLarge(
            f"decoding this {format} image of {header.width} x {header.height} pixels takes about"
            f" {header.working_bytes / 2**20:,.0f} MiB; at most {max_working_bytes / 2**20:,.0f} MiB are spent on one"
        )
    return header


def read_raster(header: Header, *, max_pixels: int, draft_px: int | None) -> Raster:
    """Decode a file whose header was read.

    `draft_px` lets a JPEG be decoded at a reduced scale whose sides are still at least that long (about 4x cheaper).
    Raises ImageUnreadable, ImageTooLarge (what only its decoder knows), MemoryError.
    """
    try:
        opened, repairs = _loaded(header, max_pixels, draft_px)
        width, height = opened.size if header.format in _OWN_SIZE else (header.width, header.height)
        orientation = _orientation(opened, header.format)
        # The transposed copy comes last: by now the image is small.
        image = _reduced(opened)
        if header.format == "TIFF" and image.mode.startswith("I;16"):
            image = _full_range(image, getattr(opened, "tag_v2", {}))
        if orientation in _TURNS:
            info = image.info
            image = image.transpose(_TURNS[orientation])
            image.info = info
    except (ImageTooLarge, ImageUnreadable, MemoryError):
        raise
    # Pillow's codecs raise nearly anything on broken data (OSError, SyntaxError, struct.error, IndexError, ...).
    except Exception as error:
        raise ImageUnreadable(f"the {header.format} image is broken or truncated: {error}") from error
    if orientation >= 5:
        width, height = height, width
    return Raster(image, width, height, header.format, _frames(header, opened), repairs)


_OWN_SIZE = ("TIFF", "AVIF", "HEIF")  # formats whose size their decoder alone knows for sure


def _check_pixels(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise ImageTooLarge(
            f"the image is {width} x {height} = {width * height:,} pixels; at most {max_pixels:,} are accepted"
        )


def _loaded(header: Header, max_pixels: int, draft_px: int | None) -> tuple[Image.Image, tuple[str, ...]]:
    if header.format != "JPEG" or not header.repairs:
        return _load(header.content, header.format, max_pixels, draft_px), header.repairs
    # Without an end nobody says whether the picture is complete. Where what follows changes nothing, it is.
    image = _load(jpeg.with_end(header.content), "JPEG", max_pixels, draft_px)
    changed = ImageChops.difference(
        image, _load(jpeg.with_padding(header.content), "JPEG", max_pixels, draft_px)
    ).getbbox()
    if changed is None:
        return image, header.repairs
    if changed[1] < (1 - _TRUNCATED_SHARE) * image.height:
        raise ImageUnreadable("the JPEG image is broken or truncated: it ends in the middle of the picture")
    return image, (f"the file lacks its end: the last {image.height - changed[1]} rows are filled in",)


def _load(content: bytes, format: str, max_pixels: int, draft_px: int | None) -> Image.Image:
    if format == "PNG" and (plain := png.decoded_plainly(content)) is not None:
        return plain  # of the size in its header, which was checked
    register_plugins()
    # MPO is a JPEG with more pictures behind it; without its list of them it is a plain one.
    opened = Image.open(io.BytesIO(content), formats=[format])
    _check_pixels(*opened.size, max_pixels)
    # Before `load`, or it has no effect.
    if draft_px is not None and opened.mode in ("RGB", "L", "YCbCr"):
        opened.draft("RGB", (draft_px, draft_px))
    opened.load()
    return opened


def _frames(header: Header, opened: Image.Image) -> int:
    if header.format == "TIFF":  # counting walks through directories, as many as a file likes to have
        return 2 if getattr(getattr(opened, "tag_v2", None), "next", 0) else 1
    if header.format in ("AVIF", "HEIF"):
        return int(getattr(opened, "n_frames", 1))
    return header.frames


def _orientation(opened: Image.Image, format: str) -> int:
    """EXIF's way up, 1 to 8; 1 where the file does not say, or its decoder has turned it already."""
    if format == "TIFF":
        tags = getattr(opened, "tag_v2", {})
        value = tags.get(_ORIENTATION, 1)
        return value if isinstance(value, int) and 1 <= value <= 8 else 1
    exif = opened.info.get("exif")
    return exif_orientation(exif) if isinstance(exif, bytes) else 1


def _full_range(image: Image.Image, tags: Mapping[int, object]) -> Image.Image:
    """16-bit grey of a TIFF from what its tags call black and white to 0 and 65535."""
    bits, white = tags.get(_BITS_PER_SAMPLE), tags.get(_MAX_SAMPLE_VALUE)
    full = 2 ** int(bits[0]) - 1 if isinstance(bits, tuple) and bits and 8 < int(bits[0]) < 16 else 65535
    if isinstance(white, tuple) and white and 255 < int(white[0]) < full:
        full = int(white[0])
    inverted = tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    if full == 65535 and not inverted:
        return image
    values = np.minimum(np.asarray(image).astype(np.float32), full) * np.float32(65535 / full)
    return Image.fromarray(np.rint(65535 - values if inverted else values).astype(np.uint16))


def _reduced(image: Image.Image) -> Image.Image:
    """The image by whole factors until no side is longer than MAX_SIDE_PX, an average over areas, strip by strip."""
    factor = -(-max(image.size) // MAX_SIDE_PX)
    if factor <= 1:
        return image
    rows = max(1, _STRIP_PIXELS // (image.width * factor)) * factor
    small: Image.Image | None = None
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        strip.info = image.info
        strip = _averageable(strip).reduce(factor)
        if image.mode.startswith("I;16"):  # averaged in 32 bits, which the whole is spared
            strip = Image.fromarray(np.asarray(strip).astype(np.uint16))
        if small is None:
            small = Image.new(strip.mode, (strip.width, -(-image.height // factor)))
        small.paste(strip, (0, top // factor))
    assert small is not None  # no image is without rows
    return small


def _averageable(strip: Image.Image) -> Image.Image:
    """In a mode that Pillow averages: palettes by their colours, the transparent colour as alpha."""
    if "transparency" in strip.info or strip.mode in ("PA", "La", "RGBa"):
        return strip.convert("LA" if strip.mode == "La" else "RGBA")
    if strip.mode.startswith("I;16"):
        return strip.convert("I")
    if strip.mode in ("1", "P"):
        return strip.convert("L" if strip.mode == "1" else "RGB")
    return strip if strip.mode in ("L", "LA", "RGB", "RGBA", "CMYK", "I", "F") else strip.convert("RGB")
