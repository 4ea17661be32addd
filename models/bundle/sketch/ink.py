"""Ink apart from paper: polarity, tone, uneven light, colour, and lines that are too faint."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.bundle.errors import SketchEmpty, SketchSolid
from models.bundle.sketch.neighbourhood import spread

Ink: TypeAlias = NDArray[np.uint8]
"""(H, W): 0 is paper, 255 the strongest ink."""

Window: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom of a part of the page, in shares of its sides."""

Level = TypeVar("Level", np.uint8, np.float32)

WHOLE_PAGE: Window = (0.0, 0.0, 1.0, 1.0)
INK_LEVEL = 64  # of 255: counts as ink when the drawing's extent is measured

_MIN_CONTRAST = 24  # grey levels between paper and darkest ink below which nothing is drawn
_MIN_CLEAN_CONTRAST = 8  # the same where the paper has no noise that could be taken for lines
_MIN_INK_PIXELS = 12  # of 256 x 256: a dot of the thinnest pen
_MAX_INK_SHARE = 0.75  # a drawing that covers more is its own background
_UNEVEN = 20  # grey levels between lighter and darker parts of the paper's border: uneven light
_MAX_NOISE = 24  # grey levels
_BLOCK_PX = 16  # side of the areas whose lightest pixel is taken for paper
_COLOURED = 40  # levels between a pixel's channels
_SOFT_PX = 2  # from a line's edge to its middle
_LINE_RADIUS_PX = 4  # what is wider on both sides is a coloured area and not a line


@dataclass(frozen=True)
class Paper:
    """What a sketch is drawn on: `level` in [0, 255], after inversion where it is `dark`; `noise` in grey levels.

    `light`: coefficients (6,) of 1, x, y, x², xy, y² with x, y in [-1, 1] over the page, in levels; None where even.
    """

    level: int
    dark: bool
    noise: int = 0
    light: NDArray[np.float32] | None = None

    @property
    def min_contrast(self) -> int:
        """Grey levels of ink below which nothing is drawn."""
        return _MIN_CLEAN_CONTRAST if self.noise == 0 and self.light is None else _MIN_CONTRAST

    def ink(self, image: Image.Image, window: Window = WHOLE_PAGE) -> Ink:
        """The ink of an image, L or RGB, that shows the `window` of the page."""
        return self._ink(_grey(image), image, window)

    def _ink(self, grey: NDArray[np.uint8], image: Image.Image, window: Window = WHOLE_PAGE) -> Ink:
        if self.dark:
            grey = ~grey
        if self.light is None and self.level - self.noise >= 255:
            ink: Ink = ~grey
        elif self.light is None:
            # An array, since numpy takes ten times as long for the minimum with a number.
            level = np.full(grey.shape, max(0, self.level - self.noise), dtype=np.uint8)
            # The minimum first: a difference of bytes below zero would wrap round to dark ink.
            ink = level - np.minimum(grey, level)
        else:
            ground = _evaluated(self.light, grey.shape, window) - np.float32(self.noise)
            ink = np.clip(ground - grey, 0, 255).astype(np.uint8)
        if image.mode == "RGB":
            np.maximum(ink, _coloured_lines(np.asarray(image), dark=self.dark), out=ink)
        return ink


def paper_and_ink(image: Image.Image) -> tuple[Paper, Ink]:
    """The paper of a page, L or RGB, by what its border shows, and what is on it. Raises SketchEmpty, SketchSolid."""
    grey = _grey(image)
    border = _border(grey)
    darkest_border, lightest_border = int(border.min()), int(border.max())
    if darkest_border == lightest_border:  # clean paper, as most drawings are on
        darker = middle = lighter = darkest_border
    else:
        darker, middle, lighter = _percentiles(border, (0.15, 0.5, 0.85))
    lightest, darkest = int(grey.max()), int(grey.min())
    if lightest - darkest < _MIN_CLEAN_CONTRAST:
        if middle < 128:
            raise SketchSolid("the sketch is one dark area: no line can be told from its background")
        raise SketchEmpty("the sketch is empty: nothing is drawn on it")
    dark = middle < 128
    paper = Paper(255 - middle if dark else middle, dark)
    if lighter - darker > _UNEVEN:
        paper = replace(paper, light=_light(~grey if dark else grey))
    ink = paper._ink(grey, image)
    if _share(ink) > _MAX_INK_SHARE:
        # A dark frame around a light sheet (a scan), or the reverse: the border was not the paper.
        paper = Paper(lightest, dark=False) if dark else Paper(255 - darkest, dark=True)
        ink = paper._ink(grey, image)
        if _share(ink) > _MAX_INK_SHARE:
            raise SketchSolid(
                f"more than {_MAX_INK_SHARE:.0%} of the sketch is ink: no line can be told from its background"
            )
        return paper, ink
    if darkest_border == lightest_border and image.mode == "L":  # then there is no ink on it
        return paper, ink
    border = _border(ink)
    noise = _percentiles(border, (0.8,))[0] if border.any() else 0
    if noise == 0:
        return paper, ink
    paper = replace(paper, noise=min(noise, _MAX_NOISE))
    return paper, paper._ink(grey, image)


def darkened(ink: Ink, min_contrast: int) -> Ink:
    """Pencil and lines thinned by reduction become black: the darkest tenth of the ink goes to 255.

    Raises SketchEmpty where the ink is weaker than `min_contrast` grey levels, or a speck.
    """
    strongest = int(ink.max())
    drawn = ink > max(min_contrast // 2, strongest // 4)
    count = np.count_nonzero(drawn)
    if strongest < min_contrast or count < min(_MIN_INK_PIXELS, ink.size // 64):
        raise SketchEmpty("the sketch is empty: nothing is drawn on it")
    if count - np.count_nonzero(ink == 255) < 0.9 * count:  # the darkest tenth is black already
        return ink
    levels = np.bincount(ink[drawn], minlength=256).cumsum()
    full = int(levels.searchsorted(0.9 * count))
    if full >= 255:
        return ink
    gained: NDArray[np.float32] = np.minimum(ink.astype(np.float32) * np.float32(255.0 / full), np.float32(255.0))
    return gained.astype(np.uint8)


def is_coloured(image: Image.Image) -> bool:
    """Whether pixels of an RGB image differ between their channels by more than photographs of grey things do."""
    if image.mode != "RGB":
        return False
    few = np.asarray(image.resize((min(96, image.width), min(96, image.height)), Image.Resampling.NEAREST))
    return bool((_over_channels(few, np.maximum) - _over_channels(few, np.minimum)).max() > _COLOURED)


def levels_of(image: Image.Image) -> NDArray[np.uint8]:
    """The pixels (H, W) of an image in L, read-only; in half of the time that `np.asarray` takes."""
    return np.frombuffer(image.tobytes(), np.uint8).reshape(image.height, image.width)


def image_of(levels: NDArray[np.uint8]) -> Image.Image:
    """(H, W) contiguous levels -> an image in L over the same memory."""
    height, width = levels.shape
    return Image.frombuffer("L", (width, height), levels, "raw", "L", 0, 1)


def _grey(image: Image.Image) -> NDArray[np.uint8]:
    return levels_of(image if image.mode == "L" else image.convert("L"))


def _over_channels(pixels: NDArray[np.uint8], combine: np.ufunc) -> NDArray[np.uint8]:
    """(H, W, 3) -> (H, W); ten times as fast as numpy's reduction over so short an axis."""
    least_or_most: NDArray[np.uint8] = combine(combine(pixels[..., 0], pixels[..., 1]), pixels[..., 2])
    return least_or_most


def _coloured_lines(pixels: NDArray[np.uint8], *, dark: bool) -> Ink:
    """(H, W, 3) -> ink of the lines that differ from their surroundings in one channel at least.

    Yellow on white is as light as paper is, and black in its blue channel. Areas of colour stay what their grey is.
    """
    channels = _over_channels(pixels, np.maximum) if dark else ~_over_channels(pixels, np.minimum)
    radius = _LINE_RADIUS_PX
    opened = spread(spread(np.pad(channels, 2 * radius, mode="edge"), radius, np.minimum), radius, np.maximum)
    lines = channels - np.minimum(channels, opened)
    # Pastels are half as far from white as pure colours are: a line's middle becomes black, and its edges stay soft.
    middle = spread(np.pad(lines, _SOFT_PX), _SOFT_PX, np.maximum)
    drawn = lines > 0
    black: Ink = np.zeros_like(lines)
    black[drawn] = np.minimum(255, lines[drawn].astype(np.uint16) * np.uint16(255) // np.clip(middle[drawn], 128, 255))
    return black


def _light(grey: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """(H, W), lighter paper -> the coefficients of its light, None where a parabola does not describe the border."""
    height, width = (side // _BLOCK_PX for side in grey.shape)
    if min(height, width) < 4:
        return None
    blocks = grey[: height * _BLOCK_PX, : width * _BLOCK_PX].reshape(height, _BLOCK_PX, width, _BLOCK_PX)
    lightest = blocks.max(axis=3).max(axis=1).ravel().astype(np.float32)
    terms = _terms((height, width), WHOLE_PAGE)
    used = np.ones(lightest.shape, dtype=np.bool_)
    for _ in range(3):
        light: NDArray[np.float32] = np.linalg.lstsq(terms[used], lightest[used], rcond=None)[0]
        # Areas that are darker than their surroundings are drawn on, and say nothing of the paper.
        used = lightest - terms @ light > -12
        if used.sum() < 12:
            return None
    ring = _border(np.abs(_evaluated(light, grey.shape, WHOLE_PAGE) - grey))
    return light if float((ring < _UNEVEN).mean()) > 0.7 else None


def _terms(shape: tuple[int, ...], window: Window) -> NDArray[np.float32]:
    """(H W, 6): 1, x, y, x², xy, y² at the centres of an (H, W) grid over the window."""
    left, top, right, bottom = window
    y = 2 * (top + (bottom - top) * (np.arange(shape[0], dtype=np.float32) + 0.5) / shape[0]) - 1
    x = 2 * (left + (right - left) * (np.arange(shape[1], dtype=np.float32) + 0.5) / shape[1]) - 1
    ys, xs = (grid.ravel() for grid in np.meshgrid(y.astype(np.float32), x.astype(np.float32), indexing="ij"))
    return np.stack([np.ones_like(xs), xs, ys, xs * xs, xs * ys, ys * ys], axis=1)


def _evaluated(light: NDArray[np.float32], shape: tuple[int, ...], window: Window) -> NDArray[np.float32]:
    return (_terms(shape, window) @ light).reshape(shape)


def _border(pixels: NDArray[Level]) -> NDArray[Level]:
    ring = max(1, min(pixels.shape) // 50)
    return np.concatenate(
        [pixels[:ring].ravel(), pixels[-ring:].ravel(), pixels[:, :ring].ravel(), pixels[:, -ring:].ravel()]
    )


def _percentiles(levels: NDArray[np.uint8], shares: tuple[float, ...]) -> tuple[int, ...]:
    ranks = np.bincount(levels, minlength=256).cumsum()
    return tuple(int(ranks.searchsorted(share * (levels.size + 1))) for share in shares)


def _share(ink: Ink) -> float:
    return np.count_nonzero(ink > INK_LEVEL) / ink.size
