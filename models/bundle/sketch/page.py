"""What is on a page beside the drawing, ruled lines and an app's border, and where the drawing is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from models.bundle.sketch.ink import INK_LEVEL, Ink

_FAINT = 24  # of 255: ruled lines are lighter than what is drawn on them
_ACROSS = 0.8  # share of the page that a ruled line or a border crosses
_MIN_RULES = 4  # fewer lines across the page may be drawn
_MAX_RULE_SHARE = 0.03  # of the page's side: a ruled line's width
_BORDER_SHARE = 0.05  # of the page's side: where an app's border lies
_SPECK_SHARE = 0.006  # of all ink: what lies apart and is less is dust
_GAP_SHARE = 0.04  # of the page's side: what lies apart is at least this far away


@dataclass(frozen=True)
class Box:
    """A part of a page in pixels; `right` and `bottom` are the first outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def extent(self) -> int:
        """The longer side."""
        return max(self.right - self.left, self.bottom - self.top)


class Drawn:
    """Which pixels of a page count as ink (H, W), and how many of each row and column, (H,) and (W,)."""

    def __init__(self, ink: Ink) -> None:
        """Columns are counted when they are asked for."""
        self.pixels = ink > INK_LEVEL
        self.counted = self.pixels.astype(np.float32)
        self.rows = _along_rows(self.counted)

    @cached_property
    def columns(self) -> NDArray[np.float32]:
        """Drawn pixels of each column."""
        return _along_columns(self.counted)


def drawn_box(ink: Ink, drawn: Drawn | None = None) -> Box:
    """Where the drawing lies, dust left out. The page must have ink. `drawn`: its ink, where it was looked at."""
    drawn = drawn or Drawn(ink)
    top, bottom = _span(drawn.rows)
    left, right = _span(_along_columns(drawn.counted[top:bottom]))
    return Box(left, top, right, bottom)


def without_border(ink: Ink, page: Drawn) -> Ink:
    """The page without a rectangle along its edges that touches nothing within; the same array where there is none."""
    drawn = page.pixels
    edges = []
    for axis, length in ((0, drawn.shape[1]), (1, drawn.shape[0])):
        profile = page.columns if axis else page.rows
        limit = max(2, round(_BORDER_SHARE * len(profile)))
        across = profile > _ACROSS * length
        (first,), (last,) = across[:limit].nonzero(), across[-limit:].nonzero()
        if not len(first) or not len(last):
            return ink
        edges.append((int(first[-1]) + 1, len(profile) - limit + int(last[0])))
    (top, bottom), (left, right) = edges
    # Soft edges of the border, and a row that has to be free.
    top, left, bottom, right = top + 1, left + 1, bottom - 1, right - 1
    inside = drawn[top:bottom, left:right]
    if not inside.any() or inside[0].any() or inside[-1].any() or inside[:, 0].any() or inside[:, -1].any():
        return ink
    out = np.zeros_like(ink)
    out[top:bottom, left:right] = ink[top:bottom, left:right]
    return out


def without_rules(ink: Ink) -> Ink:
    """The page without the lines of ruled or squared paper; the same array where it has none."""
    marked = (ink > _FAINT).astype(np.float32)
    height, width = ink.shape
    # Of most pages this is all: no direction has enough lines across.
    if max(_count_across(_along_rows(marked), width), _count_across(_along_columns(marked), height)) < _MIN_RULES:
        return ink
    once = _without_rows(ink)
    both = _without_rows(once.T).T
    return ink if once is ink and both.base is once else np.ascontiguousarray(both)


def _without_rows(ink: Ink) -> Ink:
    across = _along_rows((ink > _FAINT).astype(np.float32)) > _ACROSS * ink.shape[1]
    if np.count_nonzero(across) < _MIN_RULES:
        return ink
    starts, ends = _runs(across)
    if len(starts) < _MIN_RULES or int((ends - starts).max()) > max(2, _MAX_RULE_SHARE * len(ink)):
        return ink
    out = ink.copy()
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        first, last = max(0, start - 1), min(len(ink), end + 1)  # with its soft edges
        above = out[max(0, first - 1)] if first else np.zeros(ink.shape[1], np.uint8)
        below = ink[last] if last < len(ink) else np.zeros(ink.shape[1], np.uint8)
        # What crosses the line goes on above and below it.
        out[first:last] = np.minimum(out[first:last], np.minimum(above, below))
    return out


def _count_across(profile: NDArray[np.float32], length: int) -> int:
    return int(np.count_nonzero(profile > _ACROSS * length))


def _along_rows(on: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W) zeros and ones -> (H,) how many are on; as a product, five times as fast as a sum along an axis."""
    counts: NDArray[np.float32] = on @ _ones(on.shape[1])
    return counts


def _along_columns(on: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W) -> (W,)."""
    counts: NDArray[np.float32] = _ones(on.shape[0]) @ on
    return counts


@lru_cache(64)
def _ones(count: int) -> NDArray[np.float32]:
    ones = np.ones(count, np.float32)
    ones.flags.writeable = False
    return ones


def _span(profile: NDArray[np.float32]) -> tuple[int, int]:
    """(N,) ink of each row -> first row of the drawing, and the one after its last."""
    starts, ends = _runs(profile > 0)
    if len(starts) == 1:
        return int(starts[0]), int(ends[0])
    least = _SPECK_SHARE * int(profile.sum())
    apart = max(2.0, _GAP_SHARE * len(profile))
    first, last = 0, len(starts) - 1
    while (
        first < last and profile[starts[first] : ends[first]].sum() < least and starts[first + 1] - ends[first] > apart
    ):
        first += 1
    while first < last and profile[starts[last] : ends[last]].sum() < least and starts[last] - ends[last - 1] > apart:
        last -= 1
    return int(starts[first]), int(ends[last])


def _runs(on: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(N,) -> where the runs of True start, and where they end (exclusive)."""
    framed = np.zeros(len(on) + 2, np.bool_)
    framed[1:-1] = on
    changes = (framed[1:] != framed[:-1]).nonzero()[0]
    return changes[::2], changes[1::2]
