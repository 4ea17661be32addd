"""A photo as a few lines: what stands in for a sketch of it where nobody drew one. No network, no torch.

The strongest edges, on a page that is bent a little: nobody draws edges where they are.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter, ImageOps

PAGE_PX = 256
_MARGIN_PX = 16
_BLUR_PX = 1.5  # texture is no line that somebody would draw
_DRAWN_SHARE = 0.07  # of the page: what a sketch of a few strokes inks
_WEAKEST_EDGE = 6.0  # levels of 255 per pixel: below, a picture has no edges
_BEND_PX = 6.0  # how far a point of the page moves at most
_BEND_CELLS = 4


def drawn(picture: Image.Image, seed: int) -> Image.Image | None:
    """A picture as lines, black on a white page of 256 px, L; the same one for each `seed`. None where it has no edges.

    The strongest 7 % of the gradients, after a blur that takes texture away.
    """
    room = PAGE_PX - 2 * _MARGIN_PX
    fitted = ImageOps.contain(picture.convert("L"), (room, room)).filter(ImageFilter.GaussianBlur(_BLUR_PX))
    levels = np.asarray(fitted, np.float32)
    if min(levels.shape) < 2:
        return None
    down, across = np.gradient(levels)
    strength = np.hypot(down, across)
    lines = strength >= max(float(np.quantile(strength, 1 - _DRAWN_SHARE)), _WEAKEST_EDGE)
    if not lines.any():
        return None
    page = Image.new("L", (PAGE_PX, PAGE_PX), 255)
    left, top = (PAGE_PX - fitted.width) // 2, (PAGE_PX - fitted.height) // 2
    page.paste(Image.fromarray(np.where(lines, 0, 255).astype(np.uint8)), (left, top))
    return _bent(page, seed)


def _bent(page: Image.Image, seed: int) -> Image.Image:
    """The page with each of its points moved a few pixels, smoothly: nobody draws edges where they are."""
    noise = np.random.default_rng(seed).uniform(-_BEND_PX, _BEND_PX, (2, _BEND_CELLS, _BEND_CELLS)).astype(np.float32)
    moves = [np.asarray(Image.fromarray(one).resize(page.size, Image.Resampling.BICUBIC)) for one in noise]
    rows, columns = np.indices((PAGE_PX, PAGE_PX))
    pixels: npt.NDArray[np.uint8] = np.asarray(page)
    from_rows = np.clip(np.rint(rows + moves[0]), 0, PAGE_PX - 1).astype(np.intp)
    from_columns = np.clip(np.rint(columns + moves[1]), 0, PAGE_PX - 1).astype(np.intp)
    return Image.fromarray(pixels[from_rows, from_columns])
