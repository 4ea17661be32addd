"""Photos of something on a plain ground are cut to it, and all others stay what they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from models.bundle import Preprocess, SketchNormalisation
from models.bundle.ground import trimmed

UNIT = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}


def product(
    size: tuple[int, int], box: tuple[int, int, int, int], ground: tuple[int, int, int] = (250, 248, 244)
) -> Image.Image:
    image = Image.new("RGB", size, ground)
    image.paste((40, 60, 120), box)
    return image


def extent(image: Image.Image, ground: tuple[int, int, int] = (250, 248, 244)) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what differs from the ground."""
    rows, columns = np.nonzero((np.abs(np.asarray(image).astype(int) - ground) > 30).any(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


@given(
    st.tuples(st.integers(40, 700), st.integers(40, 700)),
    st.tuples(*[st.floats(0.1, 0.85)] * 4),
    st.sampled_from([(255, 255, 255), (0, 0, 0), (120, 200, 90)]),
)
@settings(max_examples=60, deadline=None)
def test_what_stands_on_plain_ground_fills_the_square_but_for_an_even_margin(
    size: tuple[int, int], corners: tuple[float, float, float, float], ground: tuple[int, int, int]
) -> None:
    left, right = sorted(round(x * size[0]) for x in corners[:2])
    top, bottom = sorted(round(y * size[1]) for y in corners[2:])
    box = (left, top, right + 4, bottom + 4)
    photo = product(size, box, ground)
    seen = trimmed(photo)
    longer = max(box[2] - box[0], box[3] - box[1])
    if longer > 0.85 * max(size) or longer < 0.07 * max(size):
        assert seen is photo
    elif 0.13 * max(size) < longer < 0.75 * max(size):
        assert seen.width == seen.height
        found = extent(seen, ground)
        # Nothing of it is lost, and nothing but ground is added.
        assert (found[2] - found[0], found[3] - found[1]) == (box[2] - box[0], box[3] - box[1])
        blur = max(size) / 128  # it is measured on a copy of 256 px
        assert seen.width == pytest.approx(longer / 0.84, abs=2 + 2 * blur)
        assert (found[0] + found[2]) / 2 == pytest.approx(seen.width / 2, abs=2 + blur)
        assert (found[1] + found[3]) / 2 == pytest.approx(seen.width / 2, abs=2 + blur)


def test_noise_and_soft_light_are_ground_still() -> None:
    light = np.linspace(244, 252, 400)[:, None, None] + np.random.default_rng(0).normal(0, 2, (400, 400, 3))
    photo = Image.fromarray(np.clip(light, 0, 255).astype(np.uint8))
    photo.paste((40, 60, 120), (150, 220, 250, 300))
    assert trimmed(photo).width == pytest.approx(100 / 0.84, abs=8)


def scene() -> Image.Image:
    """Sky above grass: the border has two colours."""
    image = product((300, 200), (120, 80, 160, 120), (120, 170, 230))
    image.paste((70, 140, 60), (0, 130, 300, 200))
    return image


def bled() -> Image.Image:
    """A table that reaches over the lower edge."""
    return product((200, 200), (40, 120, 170, 200))


def dust() -> Image.Image:
    image = Image.new("RGB", (400, 400), "white")
    image.putpixel((200, 200), (0, 0, 0))
    return image


@pytest.mark.parametrize(
    "photo",
    [scene(), bled(), product((200, 200), (10, 10, 190, 190)), Image.new("RGB", (90, 60), (9, 9, 9)), dust()],
    ids=["scene", "bled", "filling", "blank", "dust"],
)
def test_everything_else_stays_the_same_object(photo: Image.Image) -> None:
    assert trimmed(photo) is photo


def test_thin_legs_belong_to_the_thing() -> None:
    photo = Image.new("RGB", (500, 500), "white")
    draw = ImageDraw.Draw(photo)
    draw.rectangle((200, 150, 300, 170), fill="black")
    draw.line((205, 170, 205, 350), fill="black", width=3)
    assert trimmed(photo).width == pytest.approx(201 / 0.84, abs=6)


def test_preprocessing_trims_photos_where_it_is_told_to_and_nothing_else() -> None:
    photo = product((300, 200), (30, 40, 90, 70))
    plain, trims = Preprocess(size_px=64, **UNIT), Preprocess(size_px=64, trim=True, **UNIT)
    left, top, right, bottom = extent(trims.view(photo))
    assert right - left == pytest.approx(0.84 * 64, abs=2)
    assert (left + right) / 2 == pytest.approx(32, abs=1.5) and (top + bottom) / 2 == pytest.approx(32, abs=1.5)
    left, _, right, _ = extent(plain.view(photo), (255, 255, 255))
    assert right - left == pytest.approx(0.2 * 64, abs=2)
    np.testing.assert_array_equal(trims(scene()), plain(scene()))
    grey = photo.convert("L")
    np.testing.assert_array_equal(trims(grey), trims(grey.convert("RGB")))


def test_sketches_have_a_framing_of_their_own() -> None:
    with pytest.raises(ValueError, match="trim is for photos"):
        Preprocess(size_px=64, trim=True, sketch=SketchNormalisation(), **UNIT)


def plainly_trimmed(image: Image.Image) -> Image.Image:
    """The definition of `trimmed` for pictures of 256 px at most, in numpy, pixel by pixel."""
    pixels = np.asarray(image).astype(np.int16)
    width = max(1, round(0.02 * min(pixels.shape[:2])))
    edges = (pixels[:width], pixels[-width:], pixels[:, :width], pixels[:, -width:])
    ring = np.concatenate([edge.reshape(-1, 3) for edge in edges])
    ground = np.median(ring, axis=0).astype(np.int16)
    on = np.abs(pixels - ground).max(axis=2) > 16
    if (np.abs(ring - ground).max(axis=1) <= 16).mean() < 0.95:
        return image
    rows, columns = (np.flatnonzero(on.mean(axis=axis) > 0.005) for axis in (1, 0))
    if not len(rows) or not len(columns):
        return image
    left, top, right, bottom = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    longer = max(right - left, bottom - top)
    if not 0.1 <= longer / max(image.size) <= 0.8:
        return image
    side = max(1, round(longer / 0.84))
    square = Image.new("RGB", (side, side), tuple(int(level) for level in ground))
    square.paste(image, (round((side - left - right) / 2), round((side - top - bottom) / 2)))
    return square


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_it_is_what_its_definition_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    high, wide = (int(side) for side in rng.integers(2, 257, 2))
    noise = rng.integers(-20, 21, (high, wide, 3)) * rng.random()
    pixels = rng.integers(0, 256, 3) + noise
    top, left = int(rng.integers(0, high)), int(rng.integers(0, wide))
    pixels[top : top + int(rng.integers(1, high)), left : left + int(rng.integers(1, wide))] = rng.integers(0, 256, 3)
    photo = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    np.testing.assert_array_equal(trimmed(photo), plainly_trimmed(photo))
