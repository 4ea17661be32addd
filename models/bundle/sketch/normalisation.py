"""A sketch from anywhere to dark lines on a white square: ink apart from paper, framed, its lines of one width."""

from __future__ import annotations

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from models.bundle.alone import WIDE_EXTENT
from models.bundle.sketch.ink import INK_LEVEL, Ink, Paper, darkened, image_of, is_coloured, paper_and_ink
from models.bundle.sketch.line_width import line_width, of_one_width
from models.bundle.sketch.page import Box, Drawn, drawn_box, without_border, without_rules
from models.bundle.sketch.purpose import ANYWHERE, Purpose

_WORK_PX = 256  # the data sets' canvas; larger sketches are reduced to it before anything is measured
_HALVED_PX = (512, 1024, 2048)  # the usual sides of a larger canvas
_FRAMED_PX = 215  # of 256: longer side of a framed drawing, as `rasterise_strokes` leaves 8 % free on each side
_AROUND_PX = 2  # of the page, around a drawing: a pixel of it may be many of the image
_MAX_ASPECT = 1.1  # of the page
_VISIBLE = 127  # of 255: darker than halfway from paper to black
# Which drawings lie as hardly any of the data sets' do, of which Sketchy's say by their place where the photo has the
# thing: extents are shares of the canvas, distances from its middle are shares of the room that the drawing leaves.
# Of 819 Sketchy drawings for validation 12 lie so (7 small, 6 in a corner), of 374 of shoes and chairs none.
_MIN_EXTENT = 0.2
_CORNER_EXTENT, _CORNER_DISTANCE = 0.45, 0.2  # along both axes
_EDGE_EXTENT, _EDGE_DISTANCE = 0.3, 0.4  # along one of them


class SketchNormalisation(BaseModel):
    """Where a sketch lies that is not framed. `min_extent`: drawings whose longer side covers less than this share of
    the canvas are cropped and centred so that it covers `target_extent`; 0 keeps every drawing where it was drawn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_extent: float = Field(default=0.0, ge=0.0, le=1.0)
    target_extent: float = Field(default=0.8, gt=0.0, le=1.0)


def normalise_sketch(
    image: Image.Image, normalisation: SketchNormalisation, purpose: Purpose = ANYWHERE
) -> Image.Image:
    """RGB or L of any size -> square L, dark lines on white, at most 256 px a side.

    Already clean sketches (black on white, 256 px, filling the canvas) come back unchanged.
    Raises SketchEmpty, SketchSolid.
    """
    if image.mode != "L" and not is_coloured(image):
        image = image.convert("L")
    page = _reduced(image)
    paper, ink = paper_and_ink(page)
    ink = darkened(ink, paper.min_contrast)
    if purpose.frame == "false":
        return image_of(~_placed(ink, drawn_box(ink), normalisation))
    drawn = Drawn(ink)
    clean = without_rules(without_border(ink, drawn))
    if clean is not ink and clean.max() <= INK_LEVEL:  # nothing but lines across the page: they are the drawing
        clean = ink
    box = drawn_box(clean, drawn if clean is ink else None)
    if purpose.frame == "true" or clean is not ink or _says_nothing(box, clean, alone=purpose.alone):
        if clean is ink and page is not image:
            clean = _close_up(image, paper, box, page)
            box = drawn_box(clean)
        placed = _framed(clean, box)
    else:
        placed = _placed(clean, box, normalisation)
    lines = of_one_width(placed, in_detail=purpose.in_detail)
    # A drawing of a few pixels may be lost by being made clean: then it is better seen as it was sent.
    seen = lines if (lines > _VISIBLE).any() else _placed(ink, drawn_box(ink), normalisation)
    return image_of(~seen)


def _reduced(image: Image.Image) -> Image.Image:
    longer = max(image.size)
    if longer <= _WORK_PX:
        return image
    factor = longer // _WORK_PX
    if longer in _HALVED_PX and min(image.size) % factor == 0:
        # The same average to the last bit, in half of the time.
        return image.reduce((factor, 1)).reduce((1, factor))
    scale = _WORK_PX / longer
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    # An average over areas misses no thin line; what it loses in strength `darkened` gives back.
    return image.resize(size, Image.Resampling.BOX)


def _says_nothing(box: Box, ink: Ink, *, alone: bool) -> bool:
    """Whether size and place of the drawing tell no photos apart, so that it is framed.

    It is smaller on its page, or the page less square, than any that encoders were trained on; `alone`: or it leaves
    a wide margin, where photos of a thing alone were trimmed.
    """
    height, width = ink.shape
    side = max(height, width)
    if side > _MAX_ASPECT * min(height, width) or box.extent < (WIDE_EXTENT if alone else _MIN_EXTENT) * side:
        return True
    across, down = width - (box.right - box.left), height - (box.bottom - box.top)
    distances = (
        abs(box.left + box.right - width) / (2 * max(1, across)),
        abs(box.top + box.bottom - height) / (2 * max(1, down)),
    )
    in_corner = box.extent < _CORNER_EXTENT * side and min(distances) > _CORNER_DISTANCE
    at_edge = box.extent < _EDGE_EXTENT * side and max(distances) > _EDGE_DISTANCE
    return bool(in_corner or at_edge)


def _framed(ink: Ink, box: Box) -> Ink:
    """The drawing in `box` of a page, centred on a square as strokes are."""
    # Strokes are framed by the middle of their lines, whatever these are wide.
    side = max(1.0, box.extent - line_width(ink)) * _WORK_PX / _FRAMED_PX
    left, top = (box.left + box.right - side) / 2, (box.top + box.bottom - side) / 2
    window = (left, top, left + side, top + side)
    # What of the window lies outside of the page becomes 0, which is paper.
    framed = Image.fromarray(ink).transform(
        (_WORK_PX, _WORK_PX), Image.Transform.EXTENT, window, Image.Resampling.BICUBIC
    )
    return np.asarray(framed)


def _close_up(image: Image.Image, paper: Paper, box: Box, page: Image.Image) -> Ink:
    """The ink in `box` of the page, and a little around it, from the image before it was reduced to the page."""
    window = (
        max(0, box.left - _AROUND_PX) / page.width,
        max(0, box.top - _AROUND_PX) / page.height,
        min(page.width, box.right + _AROUND_PX) / page.width,
        min(page.height, box.bottom + _AROUND_PX) / page.height,
    )
    left, top, right, bottom = (
        window[0] * image.width,
        window[1] * image.height,
        window[2] * image.width,
        window[3] * image.height,
    )
    scale = min(1.0, _WORK_PX / max(right - left, bottom - top))
    size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
    part = _resized(image, size, (left, top, right, bottom))
    return darkened(paper.ink(part, window), paper.min_contrast)


def _resized(image: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float]) -> Image.Image:
    enlarges = size[0] > box[2] - box[0]
    return image.resize(size, Image.Resampling.BICUBIC if enlarges else Image.Resampling.BOX, box=box)


def _placed(ink: Ink, box: Box, normalisation: SketchNormalisation) -> Ink:
    """Where it was drawn, on a square; centred where it is small."""
    height, width = ink.shape
    canvas = max(height, width)
    if box.extent >= normalisation.min_extent * canvas:
        return ink if height == width else _centred(ink, canvas)
    side = max(8, round(box.extent / normalisation.target_extent))
    return _centred(ink[box.top : box.bottom, box.left : box.right], side)


def _centred(ink: Ink, side: int) -> Ink:
    canvas = np.zeros((side, side), dtype=np.uint8)
    top, left = (side - ink.shape[0]) // 2, (side - ink.shape[1]) // 2
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return canvas
