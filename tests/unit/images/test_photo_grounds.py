"""Photos that a viewer shows and a naive decoder loses: light products on transparency, grey of 10 to 16 bits."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.bundle import Preprocess, decode_image

PHOTO = Preprocess(size_px=32, mean=(0, 0, 0), std=(1, 1, 1))


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def product(level: int, size: tuple[int, int], margin: int) -> Image.Image:
    """A rectangle of one grey on nothing."""
    image = Image.new("RGBA", size, (0, 0, 0, 0))
    image.paste((level, level, level, 255), (margin, margin, size[0] - margin, size[1] - margin))
    return image


@pytest.mark.parametrize("margin", [2, 12])
@pytest.mark.parametrize(("level", "ground"), [(255, 0), (240, 0), (200, 255), (128, 255), (0, 255)])
def test_a_product_on_transparency_differs_from_its_ground(level: int, ground: int, margin: int) -> None:
    seen = np.asarray(PHOTO.decode(encoded(product(level, (40, 40), margin))).image)
    assert tuple(seen[0, 0]) == (ground,) * 3
    assert tuple(seen[20, 20]) == (level,) * 3


@pytest.mark.parametrize(("level", "ground"), [(250, 0), (90, 255)])
def test_what_is_padded_continues_the_matte(level: int, ground: int) -> None:
    view = np.asarray(PHOTO.view(PHOTO.decode(encoded(product(level, (64, 32), 8))).image))
    np.testing.assert_array_equal(view[[0, 4, 27, 31]], ground)


def test_an_opaque_picture_is_padded_with_white_whatever_its_colour() -> None:
    for mode, colour in (("RGB", (250, 250, 250)), ("RGBA", (250, 250, 250, 255)), ("RGB", (0, 0, 0))):
        view = np.asarray(PHOTO.view(PHOTO.decode(encoded(Image.new(mode, (64, 32), colour))).image))
        np.testing.assert_array_equal(view[[0, 4, 27, 31]], 255)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_deep_grey_is_read_by_the_range_it_uses(bits: int, kind: str) -> None:
    white = 2**bits - 1
    values = np.rint(np.linspace(0, white, 256)).astype(np.uint16).reshape(16, 16)
    seen = np.asarray(decode_image(encoded(Image.fromarray(values), kind)).image)
    np.testing.assert_array_equal(seen[..., 1], np.rint(values * (255 / white)))


def test_a_stated_white_counts_though_nothing_is_as_light() -> None:
    values = np.full((8, 8), 8191, np.uint16)
    stated = encoded(Image.fromarray(values), "TIFF", tiffinfo={281: 16383})
    assert np.asarray(decode_image(stated).image)[0, 0, 0] == pytest.approx(127, abs=1)
    assert np.asarray(decode_image(encoded(Image.fromarray(values), "TIFF")).image)[0, 0, 0] == 32


def test_sixteen_bits_whose_zero_is_white() -> None:
    values = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    seen = np.asarray(decode_image(encoded(Image.fromarray(values), "TIFF", tiffinfo={262: 0})).image)
    np.testing.assert_allclose(seen[..., 0], 255 - values / 257, atol=1)
