"""Strokes drawn as the training data was: fitted, centred, anti-aliased."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bundle import StrokeLimits, StrokesInvalid, rasterise_strokes

coordinate = st.floats(-1e6, 1e6, allow_nan=False)
stroke_lists = st.lists(st.lists(st.tuples(coordinate, coordinate), min_size=1, max_size=8), min_size=1, max_size=5)


@given(stroke_lists)
def test_any_drawing_lands_inside_the_margin(strokes: list[list[tuple[float, float]]]) -> None:
    seen = np.asarray(rasterise_strokes(strokes, canvas_px=64))
    assert seen.shape == (64, 64)
    assert seen.min() < 200
    assert (
        (seen[:2] == 255).all()
        and (seen[-2:] == 255).all()
        and (seen[:, :2] == 255).all()
        and (seen[:, -2:] == 255).all()
    )


@pytest.mark.parametrize("deviation", [0.0, 1e-4, 1e-3, 1e-2, 1.0])
def test_a_stroke_that_turns_back_on_itself_is_one_line(deviation: float) -> None:
    points = [(deviation, 0.0), (0.0, 268436.0), (0.0, 0.0)]
    there, back = (np.asarray(rasterise_strokes([part], canvas_px=64)) for part in (points[:2], points))
    assert ((back < 255).sum(axis=1) <= (there < 255).sum(axis=1) + 1).all()


def test_a_drawing_of_no_measurable_size_is_a_dot() -> None:
    dot = np.asarray(rasterise_strokes([[(0.0, 0.0)]], canvas_px=64))
    np.testing.assert_array_equal(np.asarray(rasterise_strokes([[(0.0, 0.0), (0.0, 2e-311)]], canvas_px=64)), dot)


@pytest.mark.parametrize("extent", [0.0, 5e-324, 1e-10, 1e-3])
def test_a_tiny_drawing_far_from_the_origin_is_in_the_middle(extent: float) -> None:
    seen = np.asarray(rasterise_strokes([[(1e6, 1e6), (1e6 + extent, 1e6)]], canvas_px=64))
    rows, columns = np.nonzero(seen < 128)
    assert (rows.min() + rows.max()) / 2 == pytest.approx(31.5, abs=1)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(31.5, abs=1)


def test_scale_and_offset_do_not_matter() -> None:
    strokes = [np.array([(0, 0), (10, 4), (3, 9)]), np.array([(5, 5), (6, 2)])]
    moved = [s * 37.0 + 1000.0 for s in strokes]
    np.testing.assert_array_equal(np.asarray(rasterise_strokes(strokes)), np.asarray(rasterise_strokes(moved)))


@pytest.mark.parametrize(
    "strokes",
    [[], [[]], [[(0.0,)]], [[(0.0, math.nan)]], [[(0.0, math.inf)]], [["ab"]], [[(1, 2), (3,)]], [[(0.0, 1e30)]]],
)
def test_what_is_no_drawing_is_rejected(strokes: list[object]) -> None:
    with pytest.raises(StrokesInvalid):
        rasterise_strokes(strokes)  # type: ignore[arg-type]


def test_limits_are_held() -> None:
    with pytest.raises(StrokesInvalid, match="at most 2"):
        rasterise_strokes([[(0, 0)]] * 3, limits=StrokeLimits(max_strokes=2))
    with pytest.raises(StrokesInvalid, match="more than 3 points"):
        rasterise_strokes([[(0, 0), (1, 1)]] * 2, limits=StrokeLimits(max_points=3))
