"""Untrusted bytes to an 8-bit RGB image: one decoder for photos and sketches, limits checked before pixels exist."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from models.bundle.errors import ImageTooLarge, ImageUnreadable, ImageUnsupported

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")

Matte = Literal["white", "contrast"]


@dataclass(frozen=True)
class ImageLimits:
    """Largest accepted image: `max_bytes` encoded, `max_pixels` = width x height as declared in the header."""

    max_bytes: int = 20 * 2**20
    max_pixels: int = 50_000_000


@dataclass(frozen=True)
class DecodedImage:
    """An upright 8-bit RGB image and what its file said of itself.

    `width` and `height` are the file's, upright, in pixels; `image` is smaller when it was decoded with `draft_px`.
    """

    image: Image.Image
    width: int
    height: int
    format: str
    frames: int


def decode_image(
    data: bytes, limits: ImageLimits | None = None, *, draft_px: int | None = None, matte: Matte = "white"
) -> DecodedImage:
    """First frame of `data`, upright (EXIF), as 8-bit RGB.

    CMYK, palette, grey and 16-bit images are converted. Transparency is composited on white; with
    `matte="contrast"` on black where what is visible is light, so that white strokes on transparency stay visible.
    `draft_px` lets a JPEG be decoded at a reduced scale whose sides are still at least that long (about 4x cheaper).

    Raises ImageTooLarge, ImageUnsupported, ImageUnreadable.
    """
    limits = limits or ImageLimits()
    if not data:
        raise ImageUnreadable("the image is empty (0 bytes)")
    if len(data) > limits.max_bytes:
        raise ImageTooLarge(f"the image has {len(data):,} bytes; at most {limits.max_bytes:,} are accepted")
    opened = _open(data, limits)
    width, height = opened.size
    if width * height > limits.max_pixels:
        raise ImageTooLarge(
            f"the image is {width} x {height} = {width * height:,} pixels; at most {limits.max_pixels:,} are accepted"
        )
    # Pillow's codecs raise nearly anything on broken data (OSError, SyntaxError, struct.error, IndexError, ...).
    try:
        frames = int(getattr(opened, "n_frames", 1))
        if draft_px is not None and opened.mode in ("RGB", "L", "YCbCr"):
            opened.draft("RGB", (draft_px, draft_px))
        opened.load()
        orientation = opened.getexif().get(0x0112, 1)
        upright = ImageOps.exif_transpose(opened)
        image = _to_rgb(upright, matte)
    except Exception as error:
        raise ImageUnreadable(f"the {opened.format} image is broken or truncated: {error}") from error
    if orientation in (5, 6, 7, 8):
        width, height = height, width
    return DecodedImage(image=image, width=width, height=height, format=opened.format or "", frames=frames)


def _open(data: bytes, limits: ImageLimits) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLarge(f"{error}; at most {limits.max_pixels:,} pixels are accepted") from error
    except UnidentifiedImageError as error:
        raise ImageUnsupported(f"not an image in one of the accepted formats: {', '.join(FORMATS)}") from error
    except Exception as error:
        raise ImageUnreadable(f"the image's header is broken: {error}") from error


def _to_rgb(image: Image.Image, matte: Matte) -> Image.Image:
    if image.mode == "F" or image.mode.startswith("I"):
        return _from_deep_grey(image)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        return _composite(image.convert("RGBA"), matte)
    return image.convert("RGB")


def _from_deep_grey(image: Image.Image) -> Image.Image:
    """16-bit, 32-bit and float grey to 8-bit; Pillow's own conversion clips instead of scaling."""
    values = np.asarray(image).astype(np.float64)
    if image.mode == "F":
        values = values * 255.0 if values.max(initial=0.0) <= 1.0 else values
    elif values.max(initial=0.0) > 255 or image.mode != "I":
        values = values / 257.0
    grey = np.clip(np.nan_to_num(np.rint(values)), 0, 255).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")


def _composite(image: Image.Image, matte: Matte) -> Image.Image:
    backdrop = 255
    if matte == "contrast":
        alpha = np.asarray(image.getchannel("A"), dtype=np.float32)
        luminance = np.asarray(image.convert("L"), dtype=np.float32)
        visible = float(alpha.sum())
        # Mostly transparent and what is left is light: white ink, which a white backdrop would swallow.
        if visible > 0 and alpha.mean() < 128 and float((alpha * luminance).sum()) / visible > 128:
            backdrop = 0
    canvas = Image.new("RGB", image.size, (backdrop,) * 3)
    canvas.paste(image, mask=image.getchannel("A"))
    return canvas
