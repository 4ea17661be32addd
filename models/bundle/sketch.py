"""A sketch from anywhere to dark strokes on white: polarity, paper tone, faint lines, a small drawing on a big page."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from models.bundle.errors import SketchEmpty, SketchSolid

_WORK_PX = 256  # the data sets' canvas; larger sketches are reduced to it before anything is measured
_MIN_CONTRAST = 24  # grey levels between paper and darkest ink below which nothing is drawn
_MIN_INK_PIXELS = 12  # of 256 x 256: a dot of the thinnest pen
_MAX_INK_SHARE = 0.75  # a drawing that covers more is its own background
_INK_LEVEL = 64  # of 255: counts as ink when the drawing's extent is measured


class SketchNormalisation(BaseModel):
    """How a sketch is framed. `min_extent`: drawings whose longer side covers less than this share of the canvas are
    cropped and centred so that it covers `target_extent`; 0 keeps every drawing where it was drawn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_extent: float = Field(default=0.0, ge=0.0, le=1.0)
    target_extent: float = Field(default=0.8, gt=0.0, le=1.0)


def normalise_sketch(image: Image.Image, normalisation: SketchNormalisation) -> Image.Image:
    """RGB or L of any size -> square L, dark strokes on white, at most 256 px a side.

    Already clean sketches (black on white, 256 px, filling the canvas) come back unchanged.
    Raises SketchEmpty, SketchSolid.
    """
    grey = image.convert("L")
    longer = max(grey.size)
    if longer > _WORK_PX:
        scale = _WORK_PX / longer
        size = (max(1, round(grey.width * scale)), max(1, round(grey.height * scale)))
        # An average over areas misses no thin line; what it loses in strength `_darken` gives back.
        grey = grey.resize(size, Image.Resampling.BOX)
    ink = _darken(_ink(np.asarray(grey)))
    return _frame(ink, normalisation)


def _ink(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W) grey -> (H, W) ink, 0 = paper, whatever the polarity."""
    ring = max(1, min(grey.shape) // 50)
    border = np.concatenate(
        [grey[:ring].ravel(), grey[-ring:].ravel(), grey[:, :ring].ravel(), grey[:, -ring:].ravel()]
    )
    paper = int(np.bincount(border, minlength=256).cumsum().searchsorted((border.size + 1) // 2))
    lightest, darkest = int(grey.max()), int(grey.min())
    if lightest - darkest < _MIN_CONTRAST:
        if paper < 128:
            raise SketchSolid("the sketch is one dark area: no line can be told from its background")
        raise SketchEmpty("the sketch is empty: nothing is drawn on it")
    ink = _departure(grey, paper, light_paper=paper >= 128)
    if (ink > _INK_LEVEL).mean() > _MAX_INK_SHARE:
        # A dark frame around a light sheet (a scan), or the reverse: the border was not the paper.
        paper = lightest if paper < 128 else darkest
        ink = _departure(grey, paper, light_paper=paper >= 128)
        if (ink > _INK_LEVEL).mean() > _MAX_INK_SHARE:
            raise SketchSolid(
                f"more than {_MAX_INK_SHARE:.0%} of the sketch is ink: no line can be told from its background"
            )
    return ink


def _departure(grey: NDArray[np.uint8], paper: int, *, light_paper: bool) -> NDArray[np.uint8]:
    if light_paper:
        # The minimum first: a difference of bytes below zero would wrap round to dark ink.
        return np.uint8(paper) - np.minimum(grey, np.uint8(paper))
    return np.maximum(grey, np.uint8(paper)) - np.uint8(paper)


def _darken(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pencil and lines thinned by reduction become black: the darkest tenth of the ink goes to 255."""
    strongest = int(ink.max())
    drawn = ink > max(_MIN_CONTRAST // 2, strongest // 4)
    count = int(drawn.sum())
    if strongest < _MIN_CONTRAST or count < min(_MIN_INK_PIXELS, ink.size // 64):
        raise SketchEmpty("the sketch is empty: nothing is drawn on it")
    levels = np.bincount(ink[drawn], minlength=256).cumsum()
    full = int(levels.searchsorted(0.9 * count))
    if full >= 255:
        return ink
    gained: NDArray[np.float32] = np.minimum(ink.astype(np.float32) * np.float32(255.0 / full), np.float32(255.0))
    return gained.astype(np.uint8)


def _frame(ink: NDArray[np.uint8], normalisation: SketchNormalisation) -> Image.Image:
    """Centre what needs it on a white square."""
    rows = np.flatnonzero((ink > _INK_LEVEL).any(axis=1))
    columns = np.flatnonzero((ink > _INK_LEVEL).any(axis=0))
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    height, width = ink.shape
    canvas = max(height, width)
    extent = max(bottom - top, right - left)
    page = Image.fromarray(255 - ink)
    if extent >= normalisation.min_extent * canvas:
        if height == width:
            return page
        square = Image.new("L", (canvas, canvas), 255)
        square.paste(page, ((canvas - width) // 2, (canvas - height) // 2))
        return square
    side = max(8, round(extent / normalisation.target_extent))
    square = Image.new("L", (side, side), 255)
    drawing = page.crop((left, top, right, bottom))
    square.paste(drawing, ((side - drawing.width) // 2, (side - drawing.height) // 2))
    return square
