"""Lines of one width, whatever they were drawn with: hairlines are widened, markers thinned, filled areas outlined."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.bundle.sketch.ink import INK_LEVEL, Ink
from models.bundle.sketch.neighbourhood import spread
from models.bundle.sketch.thinning import thinned

_NARROW, _WIDE = 1.3, 4.6  # of 256: what the data sets' drawings have, Quick, Draw! 2.2 to 2.8, Sketchy 2.2 to 4
_BROAD = 18.0  # of 256: from here on lines merge, and redrawn ones are better whatever is compared
_COARSE_PX = 64
_FILLED_RADIUS = 3  # of 64: what is at least 7 wide is an area, 28 of 256 px
_MARKER = 9.0  # of 256: where the lines are as wide, they merge into what looks like areas
_MARKER_FILLED_RADIUS = 6  # 52 of 256 px
_THINNED_PX = 128  # side of what is thinned: a line of one pixel there is a stroke of two of 256
_STROKE_LEVEL = 107  # 0.42 of 255
_GAIN = 1.6
_CANVAS_PX = 256
_OUTLINE_PX = 2
_SCRAP = 0.02  # of the areas: what is left beside them and is less was part of them


def line_width(ink: Ink) -> float:
    """(H, W) ink -> mean width of its lines in pixels, at least about 1.

    Area over half of the outline's length, which is the total variation (coarea formula); lines that are grey because
    they are thinner than a pixel count as one pixel.
    """
    row, levels = ink.shape[1], ink.ravel()
    # Few pixels differ from their neighbours, and the rest add nothing. In one go, as if rows went on in the next one.
    edges = np.zeros(ink.shape, dtype=np.bool_)
    flat = edges.ravel()
    np.not_equal(levels[row:], levels[row - 1 : -1], out=flat[row:])
    flat[row:] |= levels[row:] != levels[:-row]
    edges[:, 0] = False
    (places,) = flat.nonzero()
    here, left, above = (levels[places - back].astype(np.float32) for back in (0, 1, row))
    across, down = here - left, here - above
    outline = float(np.sqrt(across * across + down * down).sum(dtype=np.float64))
    return 2.0 * float(levels.sum(dtype=np.uint32)) / max(outline, 1.0)


def of_one_width(ink: Ink, *, in_detail: bool = False) -> Ink:
    """(S, S) ink of a square canvas -> the same array where its lines are about as wide as the product draws strokes.

    Else (S, S) with hairlines widened, or (256, 256) with wide lines redrawn and filled areas outlined. `in_detail`:
    lines are redrawn only from 18 of 256 px on, since redrawing says what a thing is and blurs which one it is.
    """
    width = line_width(ink) * _CANVAS_PX / len(ink)
    if _NARROW <= width <= _WIDE:
        return ink
    if width < _NARROW:
        return widened(ink)
    page = ink
    if len(ink) != _CANVAS_PX:
        page = np.asarray(Image.fromarray(ink).resize((_CANVAS_PX, _CANVAS_PX), Image.Resampling.BICUBIC))
    widest = _BROAD if in_detail else _WIDE
    areas = filled_areas(page)
    if areas is not None and _has_lines(page, areas) and line_width(np.where(areas, np.uint8(0), page)) > _MARKER:
        areas = filled_areas(page, _MARKER_FILLED_RADIUS)
    if areas is None:
        return redrawn(page, width) if width > widest else ink
    outlines = outlined(np.where(areas, page, np.uint8(0)))
    if not _has_lines(page, areas):
        return outlines
    lines = np.where(areas, np.uint8(0), page)
    across = line_width(lines)
    return np.maximum(outlines, redrawn(lines, across) if across > widest else lines)


def _has_lines(ink: Ink, areas: NDArray[np.bool_]) -> bool:
    drawn = np.count_nonzero((ink > INK_LEVEL) & ~areas)
    return bool(drawn >= _SCRAP * np.count_nonzero(areas))


def widened(ink: Ink) -> Ink:
    """(H, W) -> (H, W): each line a pixel wider."""
    down = ink.copy()
    np.maximum(down[1:], ink[:-1], out=down[1:])
    across = down.copy()
    np.maximum(across[:, 1:], down[:, :-1], out=across[:, 1:])
    return across


def filled_areas(ink: Ink, radius: int = _FILLED_RADIUS) -> NDArray[np.bool_] | None:
    """(H, W) -> which pixels belong to areas that no pen is as wide as; None where there is none.

    `radius`: in 64ths of the side; an area is wider than twice as much.
    """
    height, width = ink.shape
    small = np.asarray(Image.fromarray(ink).resize((_COARSE_PX, _COARSE_PX), Image.Resampling.BOX)) > 128
    core = spread(np.pad(small, radius), radius, np.logical_and)
    if not core.any():
        return None
    areas = spread(np.pad(core, radius + 1), radius + 1, np.logical_or)
    return np.asarray(Image.fromarray(areas).resize((width, height), Image.Resampling.NEAREST))


def outlined(ink: Ink) -> Ink:
    """(256, 256) filled areas -> their outlines, as wide as a stroke, on the inside."""
    filled = ink > INK_LEVEL
    inside = spread(np.pad(filled, _OUTLINE_PX), _OUTLINE_PX, np.logical_and)
    return (filled & ~inside).view(np.uint8) * np.uint8(255)


def redrawn(ink: Ink, width: float) -> Ink:
    """(256, 256) ink with lines of `width` pixels -> the same, each line drawn as the product draws strokes.

    As the 28-pixel bitmaps were that encoders were trained on: thinned at half of the size, then enlarged.
    """
    small = np.asarray(Image.fromarray(ink).resize((_THINNED_PX, _THINNED_PX), Image.Resampling.BOX))
    steps = 2 + round(width * _THINNED_PX / (2 * _CANVAS_PX))
    line = thinned(small > _STROKE_LEVEL, steps)
    if not line.any():  # grey all over: no line to follow
        return ink
    drawn = Image.fromarray(line.view(np.uint8) * np.uint8(255))
    soft = np.asarray(drawn.resize((_CANVAS_PX, _CANVAS_PX), Image.Resampling.BILINEAR)).astype(np.float32)
    # A line of one pixel was spread over several: the gain makes its middle black again, and that of a lone dot.
    soft *= max(_GAIN, 255 / float(soft.max()))
    strokes: Ink = np.minimum(soft, 255).astype(np.uint8)
    return strokes
