"""Ink apart from paper: light, colour, noise and faintness of photographs and screens."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from models.bundle import SketchEmpty, SketchNormalisation, normalise_sketch
from models.bundle.sketch.ink import paper_and_ink
from tests.unit.bundle.sketch.pages import FRAMED, drawn, likeness, seen

PAGE = drawn(1024, 1024, 860, (82, 106), 9)


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def photographed(page: Image.Image, darkest: float, lightest: float) -> Image.Image:
    """The page under a light that falls off to one corner, with a sensor's noise."""
    ink = 1 - np.asarray(page, dtype=np.float64) / 255
    y, x = np.mgrid[: page.height, : page.width]
    light = darkest + (lightest - darkest) * (0.6 * x / page.width + 0.4 * y / page.height)
    noise = np.random.default_rng(0).normal(0, 4, ink.shape)
    return jpeg(Image.fromarray(np.clip(light * (1 - 0.6 * ink) + noise, 0, 255).astype(np.uint8)), 80)


@pytest.mark.parametrize(("darkest", "lightest"), [(110, 215), (90, 240), (150, 180), (200, 200)])
def test_uneven_light_on_paper_is_no_ink(darkest: float, lightest: float) -> None:
    view = seen(photographed(PAGE, darkest, lightest))
    assert likeness(view, FRAMED) > 0.97
    assert (view < 200).mean() < 1.4 * (FRAMED < 200).mean()


def test_a_small_drawing_on_a_photographed_page_is_framed() -> None:
    assert likeness(seen(photographed(drawn(1600, 1200, 700, (300, 200), 8), 110, 215)), FRAMED) > 0.93


@pytest.mark.parametrize(("paper", "ink"), [(255, 235), (250, 238), (18, 40)])
def test_faint_lines_on_clean_paper_are_drawn(paper: int, ink: int) -> None:
    faint = Image.fromarray((ink + (np.asarray(PAGE, dtype=np.float64) / 255) * (paper - ink)).astype(np.uint8))
    assert likeness(seen(faint), FRAMED) > 0.97


def test_noise_alone_is_an_empty_page() -> None:
    noise = np.random.default_rng(0).normal(200, 3, (300, 300))
    with pytest.raises(SketchEmpty):
        normalise_sketch(Image.fromarray(noise.astype(np.uint8)), SketchNormalisation())


def coloured(colours: tuple[tuple[int, int, int], ...], paper: tuple[int, int, int]) -> Image.Image:
    """The house with its strokes in turns of these colours."""
    pixels: NDArray[np.float64] = np.full((512, 512, 3), paper, dtype=np.float64)
    for number in range(5):
        part = drawn(512, 512, 430, (41, 53), 5, (number,))
        share = 1 - np.asarray(part, dtype=np.float64)[..., None] / 255
        pixels = pixels * (1 - share) + np.array(colours[number % len(colours)]) * share
    return Image.fromarray(pixels.astype(np.uint8))


@pytest.mark.parametrize(
    ("colours", "paper"),
    [
        (((0, 0, 0), (255, 255, 0)), (255, 255, 255)),
        (((255, 255, 0),), (255, 255, 255)),
        (((220, 40, 40), (60, 90, 230)), (255, 255, 255)),
        (((255, 150, 190), (20, 20, 20)), (255, 255, 255)),
        (((255, 255, 255), (60, 60, 255)), (20, 20, 20)),
    ],
)
def test_lines_of_every_colour_are_ink(colours: tuple[tuple[int, int, int], ...], paper: tuple[int, int, int]) -> None:
    assert likeness(seen(coloured(colours, paper)), FRAMED) > 0.97


def test_an_area_of_a_light_colour_is_no_ink() -> None:
    page = coloured(((0, 0, 0),), (255, 255, 255))
    tinted = Image.new("RGB", page.size, (255, 255, 190))
    tinted.paste(page, (0, 0), Image.fromarray(255 - np.asarray(page.convert("L"))))
    assert likeness(seen(tinted), FRAMED) > 0.97


@pytest.mark.parametrize("quality", [8, 20, 60])
def test_the_noise_of_compression_is_no_ink(quality: int) -> None:
    assert likeness(seen(jpeg(drawn(512, 512, 430, (41, 53), 5), quality)), FRAMED) > 0.97


def test_paper_knows_its_polarity_and_tone() -> None:
    light, dark = (
        paper_and_ink(Image.fromarray(np.where(np.asarray(PAGE) < 128, 40, 230).astype(np.uint8)))[0],
        paper_and_ink(Image.fromarray(np.where(np.asarray(PAGE) < 128, 230, 40).astype(np.uint8)))[0],
    )
    assert (light.level, light.dark) == (230, False)
    assert (dark.level, dark.dark) == (215, True)


@pytest.mark.parametrize(
    "colours", [((0, 0, 0), (255, 255, 0)), ((230, 40, 40), (60, 90, 230)), ((200, 180, 255),) * 2]
)
def test_a_drawing_in_colours_has_the_lines_of_a_black_one(colours: tuple[tuple[int, int, int], ...]) -> None:
    pages = [drawn(512, 512, 430, (41, 53), 5, strokes) for strokes in ((0, 1), (2, 3, 4))]
    picture = Image.new("RGB", (512, 512), "white")
    for page, colour in zip(pages, colours, strict=True):
        picture.paste(colour, mask=ImageOps.invert(page))
    black = seen(drawn(512, 512, 430, (41, 53), 5))
    assert likeness(seen(picture), black) > 0.99
    assert (255 - seen(picture).astype(int)).sum() == pytest.approx((255 - black.astype(int)).sum(), rel=0.06)
