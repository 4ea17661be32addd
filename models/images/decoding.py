"""Untrusted bytes to an 8-bit RGB image: one decoder for photos and sketches, limits checked before pixels exist."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from PIL import Image, ImageOps

from models.images.errors import ImageTooLarge, ImageUnreadable, ImageUnsupported
from models.images.formats.inspection import format_of
from models.images.limits import ImageLimits
from models.images.plugins import EXTRAS, UNREAD, plugin_formats
from models.images.raster import Raster, read_header, read_raster

SKETCH_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
"""What drawing programs, pages and phones send; decoders of other formats never see a sketch."""
PHOTO_FORMATS = (*SKETCH_FORMATS, "TIFF", "AVIF", "HEIF")
"""What a gallery may hold; HEIF (HEIC) where its extra is installed."""

_ROWS = 128  # that are converted at a time
_WHITES = (255, 1023, 4095, 65535)  # of grey with 8, 10, 12 and 16 bits
_VANISHING = 216  # of 255, mean luminance from which white is taken to swallow what is visible: chosen, not fitted
_SMALL_BYTES = 16 * 2**20  # a PNG or JPEG that takes no more is decoded in this process

Matte = Literal["white", "contrast", "product"]
"""What transparency is composited on.

White; with `contrast` black where little is visible and that is light, as white ink is; with `product` black where all
that is visible is so light that white would swallow it.
"""
PHOTO_MATTE: Matte = "product"
"""The ground of every photo that an encoder sees; an index on another would answer differently from its figures."""
MATTE_LEVEL = "matte_level"
"""Key of a decoded image's `info`: the grey level it was composited on, absent where it has no transparency."""
SKETCH_MATTE: Matte = "contrast"
"""The ground of every sketch: the one that shows its ink."""

ImageFile: TypeAlias = bytes | Path | Image.Image | Callable[[], bytes | Image.Image]
"""An image wherever it lies: a file's bytes, its path, an image that is open, or a call that gives bytes or an image.

A path or a call costs no memory until its turn comes, so long streams should hold those.
"""


@dataclass(frozen=True)
class DecodedImage:
    """An upright 8-bit RGB image and what its file said of itself.

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
    data: bytes, limits: ImageLimits | None = None, *, draft_px: int | None = None, matte: Matte = "white"
) -> DecodedImage:
    """First frame of `data`, upright (EXIF), as 8-bit RGB.

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
    raster = _raster(data, limits, draft_px)
    try:
        image = _to_rgb(raster.image, matte)
    except Exception as error:
        raise ImageUnreadable(f"the {raster.format} image is broken: {error}") from error
    return DecodedImage(image, raster.width, raster.height, raster.format, raster.frames, raster.repairs)


def _raster(data: bytes, limits: ImageLimits, draft_px: int | None) -> Raster:
    """Decoded here where it is a small file in a format whose decoder is simple, else in a child where there is one."""
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
            return read_raster(header, max_pixels=limits.max_pixels, draft_px=draft_px)
        raster = limits.isolated.raster(header.content, formats, limits.max_pixels, draft_px)
    # What was left out of the content, the child did not see.
    return replace(raster, frames=max(raster.frames, header.frames), repairs=raster.repairs or header.repairs)


def accepted_formats() -> tuple[str, ...]:
    """PHOTO_FORMATS whose decoder is installed."""
    return tuple(format for format in PHOTO_FORMATS if format not in EXTRAS or format in plugin_formats())


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
    file: ImageFile, limits: ImageLimits | None = None, *, draft_px: int | None = None, matte: Matte = "white"
) -> DecodedImage:
    """As `decode_image`, from wherever the image lies; of an open image, whoever opened it has checked the limits.

    Raises ImageTooLarge, ImageUnsupported, ImageUnreadable, OSError, and what a call raises.
    """
    content = read_content(file, limits)
    if isinstance(content, bytes):
        return decode_image(content, limits, draft_px=draft_px, matte=matte)
    try:
        upright = ImageOps.exif_transpose(content)
        return DecodedImage(_to_rgb(upright, matte), upright.width, upright.height, content.format or "", 1)
    except Exception as error:  # an open image may not be decoded yet: as in `decode_image`
        raise ImageUnreadable(f"the {content.format} image is broken or truncated: {error}") from error


def _to_rgb(image: Image.Image, matte: Matte) -> Image.Image:
    if image.mode == "F" or image.mode.startswith("I"):
        return _from_deep_grey(image)
    if image.mode == "La":  # premultiplied, which Pillow converts to LA alone
        image = image.convert("LA")
    if image.mode in ("RGBA", "LA", "PA", "RGBa") or "transparency" in image.info:
        return _composite(image.convert("RGBA"), matte)
    return image.convert("RGB")


def _from_deep_grey(image: Image.Image) -> Image.Image:
    """Grey of 10 to 32 bits and floats to 8-bit; Pillow's own conversion clips instead of scaling."""
    values = np.asarray(image)
    factor = 1.0
    if image.mode == "F":
        # Float images have no agreed range: values that stay within [0, 1] are taken for shares of white.
        factor = 255.0 if values.max(initial=0.0) <= 1.0 else 1.0
    else:
        # 12 bits of a sensor in a file of 16: read as 16 bits no level would be above 15 of 255.
        peak = float(values.max(initial=0))
        factor = 255.0 / next((white for white in _WHITES if white >= peak), peak)
    grey = np.empty(values.shape, dtype=np.uint8)
    # Some rows at a time: a copy of the whole in double precision takes 32 MiB, and this needs five.
    for top in range(0, len(values), _ROWS):
        scaled = values[top : top + _ROWS].astype(np.float64) * factor
        grey[top : top + _ROWS] = np.clip(np.nan_to_num(np.rint(scaled)), 0, 255)
    return Image.fromarray(grey).convert("RGB")


def _composite(image: Image.Image, matte: Matte) -> Image.Image:
    backdrop = 255
    if matte != "white":
        alpha, luminance = np.asarray(image.getchannel("A")), np.asarray(image.convert("L"))
        visible = float(alpha.sum())
        # Some rows at a time, as above: as numbers of four bytes the whole takes 48 MiB.
        bands = (slice(top, top + _ROWS) for top in range(0, len(alpha), _ROWS))
        mean = sum(float((alpha[band] * luminance[band].astype(np.float32)).sum()) for band in bands)
        mean /= max(visible, 1.0)
        # Mostly transparent and what is left is light: white ink, which a white backdrop would swallow.
        is_light = (
            alpha.mean() < 128 and mean > 128 if matte == "contrast" else alpha.min() < 255 and mean >= _VANISHING
        )
        backdrop = 0 if is_light else 255
    canvas = Image.new("RGB", image.size, (backdrop,) * 3)
    canvas.info[MATTE_LEVEL] = backdrop
    canvas.paste(image, mask=image.getchannel("A"))
    return canvas
