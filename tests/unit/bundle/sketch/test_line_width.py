"""One width for all lines: the estimate against the width drawn, thinning against the paper's definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from models.bundle.sketch.line_width import line_width, of_one_width
from models.bundle.sketch.neighbourhood import spread
from models.bundle.sketch.thinning import thinned
from tests.unit.bundle.sketch.pages import FRAMED, drawn, likeness, seen


@pytest.mark.parametrize("line", [1.5, 2.5, 4.0, 8.0, 12.0])
def test_the_width_of_lines_is_measured(line: float) -> None:
    ink = 255 - np.asarray(drawn(256, 256, 215, (20, 20), line))
    assert line_width(ink) == pytest.approx(line, rel=0.25)


@given(arrays(np.uint8, st.tuples(st.integers(2, 12), st.integers(2, 12))))
@settings(max_examples=60, deadline=None)
def test_the_width_is_ink_over_half_of_its_total_variation(ink: NDArray[np.uint8]) -> None:
    level = ink.astype(np.float64)
    outline = sum(
        math.hypot(level[y, x] - level[y, x - 1], level[y, x] - level[y - 1, x])
        for y in range(1, len(level))
        for x in range(1, level.shape[1])
    )
    assert line_width(ink) == pytest.approx(2 * level.sum() / max(outline, 1))


@pytest.mark.parametrize("line", [0.5, 1.0, 2.5, 5.0, 10.0])
def test_hairlines_and_markers_look_like_a_stroke(line: float) -> None:
    page = drawn(512, 512, 430, (41, 53), 2 * line)
    assert likeness(seen(page), FRAMED) > 0.93
    ink = float((255 - seen(page).astype(np.float64)).sum() / (255 - FRAMED.astype(np.float64)).sum())
    assert 0.55 < ink < 1.6  # the marker alone has four times as much


def zigzag(line: int) -> Image.Image:
    page = Image.new("L", (1024, 1024), 255)
    points = [(90 + 120 * number, 120 if number % 2 else 900) for number in range(8)]
    ImageDraw.Draw(page).line(points, fill=0, width=4 * line, joint="curve")
    return page.resize((256, 256), Image.Resampling.BOX)


@pytest.mark.parametrize("line", [16, 20])
def test_where_a_marker_s_lines_meet_is_no_area(line: int) -> None:
    thin, page = seen(zigzag(3)), zigzag(line)
    assert likeness(seen(page), thin) > 0.82  # 0.73 and 0.51 with outlines around the blobs
    assert likeness(seen(page), thin) > likeness(seen(page, "false"), thin) + 0.02


def test_a_large_area_beside_a_marker_s_lines_is_outlined() -> None:
    page = Image.new("L", (256, 256), 255)
    draw = ImageDraw.Draw(page)
    draw.ellipse((20, 60, 150, 200), fill=0)
    draw.line((140, 128, 236, 40), fill=0, width=16)
    view = seen(page)
    assert view[65, 42] == 255  # within the ellipse
    assert view[60:70, 9:13].min() < 128  # its left end
    assert np.count_nonzero(view[20:40, 100:116] < 128) < 60  # the line alone has 160


def test_lines_of_a_usual_width_are_left_alone() -> None:
    ink = 255 - np.asarray(drawn(256, 256, 215, (20, 20), 2.5))
    assert of_one_width(ink) is ink


@pytest.mark.parametrize("line", [5, 10, 16])
def test_in_detail_bold_lines_stay_as_they_were_drawn(line: int) -> None:
    page = drawn(256, 256, 215, (20, 20), line)
    np.testing.assert_array_equal(seen(page, in_detail=True), seen(page, "false"))
    assert np.count_nonzero(seen(page, in_detail=True) != seen(page)) > 1_000


@pytest.mark.parametrize("line", [0.5, 2.5, 20, 28])
def test_in_detail_other_lines_are_seen_as_ever(line: float) -> None:
    page = drawn(512, 512, 430, (41, 53), 2 * line)
    np.testing.assert_array_equal(seen(page, in_detail=True), seen(page))


def test_a_filled_shape_is_seen_by_its_outline() -> None:
    filled, outline = Image.new("L", (256, 256), 255), Image.new("L", (256, 256), 255)
    ImageDraw.Draw(filled).ellipse((30, 50, 226, 206), fill=0)
    ImageDraw.Draw(outline).ellipse((30, 50, 226, 206), outline=0, width=3)
    assert likeness(seen(filled), seen(outline)) > 0.95


def test_a_filled_part_is_outlined_and_the_lines_beside_it_stay() -> None:
    page = Image.new("L", (256, 256), 255)
    draw = ImageDraw.Draw(page)
    draw.ellipse((30, 50, 160, 206), fill=0)
    draw.line((160, 128, 240, 60), fill=0, width=8)
    view = 255 - np.asarray(seen(page)).astype(int)
    assert view[64, 48] == 0  # within the ellipse
    assert view[:, 15:20].max() > 128  # its left end
    assert view[35:52, 95:112].max() > 128  # along the line


def test_in_detail_an_area_is_outlined_and_a_bold_line_beside_it_stays() -> None:
    page = Image.new("L", (256, 256), 255)
    draw = ImageDraw.Draw(page)
    draw.ellipse((30, 50, 160, 206), fill=0)
    draw.line((170, 200, 240, 60), fill=0, width=12)
    view, usual = seen(page, in_detail=True), seen(page)
    assert view[64, 48] == usual[64, 48] == 255  # within the ellipse
    across = slice(60, 70), slice(95, 112)
    assert np.count_nonzero(view[across] < 128) > 2 * np.count_nonzero(usual[across] < 128) > 0


def zhang_suen(ink: NDArray[np.bool_], steps: int) -> NDArray[np.bool_]:
    """The paper's conditions, pixel by pixel."""
    pixels = np.pad(ink, 1).astype(int)
    around = [(-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1)]
    for _ in range(steps):
        for first in (True, False):
            remove = []
            for y, x in zip(*np.nonzero(pixels), strict=True):
                p = [pixels[y + dy, x + dx] for dy, dx in around]
                turns = sum(p[i] == 0 and p[(i + 1) % 8] == 1 for i in range(8))
                if first:
                    edge = p[0] * p[2] * p[4] == 0 and p[2] * p[4] * p[6] == 0
                else:
                    edge = p[0] * p[2] * p[6] == 0 and p[0] * p[4] * p[6] == 0
                if 2 <= sum(p) <= 6 and turns == 1 and edge:
                    remove.append((y, x))
            for y, x in remove:
                pixels[y, x] = 0
    return pixels[1:-1, 1:-1].astype(np.bool_)


@given(arrays(np.bool_, st.tuples(st.integers(1, 13), st.integers(1, 13))), st.integers(0, 4))
@settings(max_examples=60, deadline=None)
def test_thinning_is_that_of_zhang_and_suen(ink: NDArray[np.bool_], steps: int) -> None:
    np.testing.assert_array_equal(thinned(ink, steps), zhang_suen(ink, steps))


@given(arrays(np.uint8, st.tuples(st.integers(9, 14), st.integers(9, 14))), st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_spreading_takes_the_square_around_each_pixel(pixels: NDArray[np.uint8], radius: int) -> None:
    side = 2 * radius + 1
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (side, side))
    np.testing.assert_array_equal(spread(pixels, radius, np.maximum), windows.max(axis=(2, 3)))
    np.testing.assert_array_equal(spread(pixels, radius, np.minimum), windows.min(axis=(2, 3)))
