"""Framing: the same drawing on any page is seen as its strokes are, and where it was drawn as trained it stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from models.bundle import AS_DRAWN, Frame, SketchNormalisation, normalise_sketch, rasterise_strokes
from models.bundle.sketch.page import drawn_box
from tests.unit.bundle.sketch.pages import FRAMED, HOUSE, SIDE, drawn, likeness, seen


@pytest.mark.parametrize(
    "page",
    [
        drawn(768, 256, 215, (20, 20), 2.5),
        drawn(256, 768, 215, (20, 500), 2.5),
        drawn(512, 384, 300, (100, 40), 4),
        drawn(1024, 1024, 215, (20, 20), 2.5),
        drawn(1024, 1024, 215, (700, 700), 2.5),
        drawn(512, 512, 150, (330, 20), 2.5),
        drawn(512, 512, 200, (20, 290), 5),
        drawn(600, 600, 100, (250, 250), 3),
        drawn(512, 512, 120, (200, 380), 3),
        drawn(512, 512, 120, (51, 51), 3),
    ],
    ids=["wide", "tall", "4:3", "corner", "far_corner", "third", "low_corner", "tiny_middle", "low_edge", "margin"],
)
def test_wide_pages_and_small_drawings_look_like_the_framed_drawing(page: Image.Image) -> None:
    assert likeness(seen(page), FRAMED) > 0.93
    assert likeness(seen(page, "false"), FRAMED) < 0.6  # what it would be without framing


@pytest.mark.parametrize(("side", "at"), [(430, (41, 53)), (300, (106, 106)), (250, (131, 60)), (300, (190, 150))])
def test_drawings_that_lie_as_the_data_sets_do_stay_where_they_are(side: float, at: tuple[float, float]) -> None:
    page = drawn(512, 512, side, at, 5)
    np.testing.assert_array_equal(seen(page), seen(page, "false"))


@pytest.mark.parametrize("side", [120, 250, 360])
def test_where_things_stand_alone_small_drawings_are_framed_wherever_they_lie(side: float) -> None:
    page = drawn(512, 512, side, (110, 90), 5)
    assert likeness(seen(page, alone=True), FRAMED) > 0.93
    np.testing.assert_array_equal(seen(page, "false", alone=True), seen(page, "false"))


def test_where_things_stand_alone_a_drawing_that_fills_its_page_stays_where_it_is() -> None:
    page = drawn(512, 512, 430, (41, 53), 5)
    np.testing.assert_array_equal(seen(page, alone=True), seen(page, "false"))


def test_frame_true_moves_any_drawing_and_false_none() -> None:
    page = drawn(512, 512, 300, (190, 150), 5)
    assert likeness(seen(page, "true"), FRAMED) > 0.97
    kept = np.asarray(normalise_sketch(page, SketchNormalisation(), AS_DRAWN))
    np.testing.assert_array_equal(kept, np.asarray(page.resize((256, 256), Image.Resampling.BOX)))


@pytest.mark.parametrize("frame", ["auto", "true"])
def test_strokes_are_framed_already(frame: Frame) -> None:
    strokes = rasterise_strokes(HOUSE)
    assert likeness(seen(strokes, frame), FRAMED) > 0.98


def test_a_framed_drawing_has_the_side_that_strokes_have() -> None:
    view = np.asarray(normalise_sketch(drawn(900, 300, 120, (20, 20), 2), SketchNormalisation()))
    rows, columns = np.nonzero(view < 128)
    assert max(np.ptp(rows), np.ptp(columns)) == pytest.approx(SIDE, abs=5)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(127.5, abs=1.5)
    assert (rows.min() + rows.max()) / 2 == pytest.approx(127.5, abs=1.5)


@pytest.mark.parametrize("width", [1, 3, 12])
def test_the_border_of_an_app_is_no_part_of_the_drawing(width: int) -> None:
    page = drawn(512, 512, 360, (76, 86), 5)
    ImageDraw.Draw(page).rectangle((2, 2, 509, 509), outline=0, width=width)
    assert likeness(seen(page), FRAMED) > 0.95


def test_a_rectangle_that_is_all_there_is_or_is_joined_stays() -> None:
    alone, joined = Image.new("L", (256, 256), 255), Image.new("L", (256, 256), 255)
    for page in (alone, joined):
        ImageDraw.Draw(page).rectangle((4, 4, 251, 251), outline=0, width=3)
    ImageDraw.Draw(joined).line((4, 4, 128, 140, 251, 4), fill=0, width=3)  # an envelope
    for page in (alone, joined):
        np.testing.assert_array_equal(np.asarray(normalise_sketch(page, SketchNormalisation())), np.asarray(page))


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("level", [140, 200])
def test_the_lines_of_ruled_paper_are_no_part_of_the_drawing(squared: bool, level: int) -> None:
    pixels = np.asarray(drawn(1024, 1024, 860, (82, 106), 9)).copy()
    rules = np.zeros(pixels.shape, dtype=np.bool_)
    rules[24::48] = rules[25::48] = True
    if squared:
        rules[:, 24::48] = rules[:, 25::48] = True
    page = Image.fromarray(np.where(rules, np.minimum(pixels, level), pixels).astype(np.uint8))
    assert likeness(seen(page), FRAMED) > (0.86 if squared else 0.95)  # 0.871 and 0.960
    assert np.count_nonzero(seen(page) < 128) < 1.25 * np.count_nonzero(FRAMED < 128)


def test_dust_far_from_the_drawing_does_not_make_it_larger() -> None:
    page = drawn(900, 300, 200, (40, 50), 4)
    for x, y in ((880, 280), (700, 12)):
        page.paste(60, (x, y, x + 3, y + 3))
    assert likeness(seen(page), FRAMED) > 0.93


def test_polarity_does_not_matter_for_framing() -> None:
    page = drawn(768, 256, 215, (20, 20), 2.5)
    # Resampling rounds half a level up, whichever end paper is at.
    np.testing.assert_allclose(seen(ImageOps.invert(page)).astype(int), seen(page).astype(int), atol=2)


@pytest.mark.parametrize("px", [32, 48, 64])
def test_tiny_pictures_have_lines_and_not_steps(px: int) -> None:
    page = drawn(px, px, px * 0.84, (px * 0.08, px * 0.1035), px / 40)
    assert likeness(seen(page), FRAMED) > 0.9


@given(arrays(np.uint8, st.tuples(st.integers(8, 12), st.integers(8, 12)), elements=st.sampled_from([0, 64, 65, 255])))
@settings(max_examples=60, deadline=None)
def test_the_box_reaches_from_the_first_to_the_last_row_and_column_with_ink(ink: NDArray[np.uint8]) -> None:
    drawn = [(y, x) for y, x in np.ndindex(ink.shape) if ink[y, x] > 64]
    assume(drawn)
    box = drawn_box(ink)
    rows, columns = zip(*drawn, strict=True)
    assert (box.top, box.bottom) == (min(rows), max(rows) + 1)
    assert (box.left, box.right) == (min(columns), max(columns) + 1)
