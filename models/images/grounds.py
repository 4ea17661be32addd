"""A raster in any mode to 8-bit RGB: deep grey by its range, transparency on a ground that shows what is visible."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from PIL import Image

from models.images.errors import ImageUnreadable
from models.images.raster import Raster

_ROWS = 128  # that are converted at a time
_WHITES = (255, 1023, 4095, 65535)  # of grey with 8, 10, 12 and 16 bits
_VANISHING = 216  # of 255, mean luminance from which white is taken to swallow what is visible: chosen, not fitted

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


def in_rgb(raster: Raster, matte: Matte) -> Raster:
    """The raster with its pixels in 8-bit RGB. Raises ImageUnreadable, MemoryError."""
    try:
        return replace(raster, image=to_rgb(raster.image, matte))
    except MemoryError:
        raise
    except Exception as error:
        raise ImageUnreadable(f"the {raster.format} image is broken: {error}") from error


def is_grey(image: Image.Image) -> bool:
    """Whether it is opaque 8-bit grey, whose RGB would be three equal channels."""
    return image.mode == "L" and "transparency" not in image.info


def to_rgb(image: Image.Image, matte: Matte) -> Image.Image:
    """Any mode to 8-bit RGB, transparency composited on `matte`; an image that is in RGB already is not copied."""
    if image.mode == "F" or image.mode.startswith("I"):
        return _from_deep_grey(image)
    if image.mode == "La":  # premultiplied, which Pillow converts to LA alone
        image = image.convert("LA")
    if image.mode in ("RGBA", "LA", "PA", "RGBa") or "transparency" in image.info:
        return _composite(image if image.mode == "RGBA" else image.convert("RGBA"), matte)
    return image if image.mode == "RGB" else image.convert("RGB")


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
