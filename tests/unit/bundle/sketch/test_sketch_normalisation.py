"""Normalisation: the same drawing means the same, whatever its polarity, paper, size or place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageOps

from models.bundle import AS_DRAWN, SketchEmpty, SketchNormalisation, SketchSolid, normalise_sketch

KEEP = SketchNormalisation()
CENTRE = SketchNormalisation(min_extent=0.5, target_extent=0.8)


def cup(canvas: int = 256, width: int = 3, scale: float = 1.0, at: tuple[int, int] = (0, 0)) -> Image.Image:
    image = Image.new("L", (canvas, canvas), 255)
    draw = ImageDraw.Draw(image)
    box = [30 * scale + at[0], 40 * scale + at[1], 200 * scale + at[0], 220 * scale + at[1]]
    draw.rectangle(box, outline=0, width=width)
    draw.line((200 * scale + at[0], 80 * scale + at[1], 230 * scale + at[0], 150 * scale + at[1]), fill=0, width=width)
    return image


def test_a_clean_sketch_is_left_as_it_is() -> None:
    np.testing.assert_array_equal(np.asarray(normalise_sketch(cup(), KEEP)), np.asarray(cup()))


def test_polarity_does_not_matter() -> None:
    np.testing.assert_array_equal(
        np.asarray(normalise_sketch(ImageOps.invert(cup()), KEEP)), np.asarray(normalise_sketch(cup(), KEEP))
    )


@pytest.mark.parametrize(("paper", "ink"), [(235, 90), (200, 40), (60, 230), (255, 150)])
def test_grey_paper_and_pencil_become_black_on_white(paper: int, ink: int) -> None:
    values = np.where(np.asarray(cup()) == 0, ink, paper).astype(np.uint8)
    np.testing.assert_array_equal(np.asarray(normalise_sketch(Image.fromarray(values), KEEP)), np.asarray(cup()))


def test_a_scan_with_a_dark_frame_keeps_its_polarity() -> None:
    framed = ImageOps.expand(cup(240), border=8, fill=0)
    seen = np.asarray(normalise_sketch(framed, KEEP))
    assert seen.mean() > 128


def test_thin_lines_on_a_large_canvas_stay_dark() -> None:
    seen = np.asarray(normalise_sketch(cup(2048, width=4, scale=8), KEEP))
    assert seen.shape == (256, 256)
    assert seen.min() < 30


def test_a_small_drawing_is_brought_to_the_middle() -> None:
    seen = np.asarray(normalise_sketch(cup(scale=0.3, at=(150, 10)), CENTRE))
    rows, columns = np.nonzero(seen < 128)
    side = len(seen)
    assert max(np.ptp(rows), np.ptp(columns)) / side == pytest.approx(0.8, abs=0.05)
    assert (rows.min() + rows.max()) / 2 / side == pytest.approx(0.5, abs=0.05)
    assert (columns.min() + columns.max()) / 2 / side == pytest.approx(0.5, abs=0.05)


def test_a_drawing_that_fills_the_canvas_is_not_moved() -> None:
    np.testing.assert_array_equal(np.asarray(normalise_sketch(cup(), CENTRE)), np.asarray(cup()))


def test_other_shapes_are_padded_to_a_square() -> None:
    seen = normalise_sketch(cup().crop((0, 0, 256, 128)), KEEP)
    assert seen.size == (256, 256)
    assert np.asarray(seen)[:60].min() == 255


@pytest.mark.parametrize("level", [255, 250, 140])
def test_blank_paper_is_empty(level: int) -> None:
    with pytest.raises(SketchEmpty, match="nothing is drawn"):
        normalise_sketch(Image.new("L", (256, 256), level), KEEP)


def test_a_speck_is_empty() -> None:
    page = Image.new("L", (256, 256), 255)
    page.putpixel((100, 100), 0)
    with pytest.raises(SketchEmpty):
        normalise_sketch(page, KEEP)


def test_all_ink_is_solid() -> None:
    with pytest.raises(SketchSolid, match="dark area"):
        normalise_sketch(Image.new("L", (256, 256), 0), KEEP)


corner = st.integers(0, 59)


@given(
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.integers(0, 255),
    st.lists(st.tuples(corner, corner, corner, corner, st.integers(0, 255)), max_size=4),
    st.sampled_from([0.0, 0.5, 1.0]),
)
@settings(max_examples=120, deadline=None)
def test_any_drawing_becomes_dark_strokes_on_a_white_square_or_is_rejected(
    size: tuple[int, int], paper: int, boxes: list[tuple[int, int, int, int, int]], min_extent: float
) -> None:
    image = Image.new("L", size, paper)
    for left, top, right, bottom, level in boxes:
        image.paste(level, (min(left, right), min(top, bottom), max(left, right) + 1, max(top, bottom) + 1))
    before = image.tobytes()
    try:
        seen = np.asarray(normalise_sketch(image, SketchNormalisation(min_extent=min_extent)))
    except (SketchEmpty, SketchSolid):
        return
    assert seen.shape[0] == seen.shape[1] <= 256
    assert seen.min() < 128
    assert image.tobytes() == before


@given(st.integers(0, 2**32 - 1), st.sampled_from([(512, 512), (1024, 1024), (512, 384), (2048, 1024)]))
@settings(max_examples=12, deadline=None)
def test_a_reduction_by_halves_is_the_average_over_areas(seed: int, size: tuple[int, int]) -> None:
    random = np.random.default_rng(seed)
    drawn = np.kron(random.random((size[1] // 32, size[0] // 32)) < 0.1, np.ones((32, 32), bool))
    drawn[64:128, 64:128] = True
    pixels = np.where(drawn, random.integers(0, 200, size[::-1]), 255).astype(np.uint8)
    page = Image.fromarray(pixels)
    small = page.resize((256, 256 * size[1] // size[0]), Image.Resampling.BOX)
    for image, reduced in ((page, small), (page.convert("RGB"), small.convert("RGB"))):
        np.testing.assert_array_equal(
            np.asarray(normalise_sketch(image, KEEP, AS_DRAWN)), np.asarray(normalise_sketch(reduced, KEEP, AS_DRAWN))
        )


def test_a_page_of_lines_from_edge_to_edge_alone_is_the_drawing() -> None:
    page = Image.new("L", (256, 256), 255)
    for y in range(20, 256, 40):
        ImageDraw.Draw(page).line((0, y, 255, y), fill=0, width=3)
    np.testing.assert_array_equal(np.asarray(normalise_sketch(page, KEEP)), np.asarray(page))
