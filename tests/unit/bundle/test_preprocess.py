"""Tensors: the cheap per-channel form equals the textbook expression."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from models.bundle import Preprocess, SketchNormalisation

SPEC = Preprocess(size_px=48, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def test_tensor_is_the_textbook_normalisation() -> None:
    image = noise(48, 48)
    expected = (np.asarray(image) / 255.0 - np.array(SPEC.mean)) / np.array(SPEC.std)
    np.testing.assert_allclose(SPEC(image), expected.transpose(2, 0, 1), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", [(48, 48), (100, 40), (40, 100), (1, 300), (7, 7)])
@pytest.mark.parametrize("fit", ["pad", "stretch"])
def test_every_shape_gives_the_input_size(size: tuple[int, int], fit: str) -> None:
    tensor = SPEC.model_copy(update={"fit": fit})(noise(*size))
    assert tensor.shape == (3, 48, 48)
    assert tensor.dtype == np.float32
    assert np.isfinite(tensor).all()


def test_padding_is_white_and_even() -> None:
    seen = np.asarray(SPEC.view(Image.new("RGB", (96, 48), "black")))
    assert (seen[:11] == 255).all() and (seen[-11:] == 255).all()
    assert (seen[13:35] == 0).all()


def test_a_sketch_fills_three_equal_channels_before_normalisation() -> None:
    spec = Preprocess(size_px=48, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), sketch=SketchNormalisation())
    page = Image.new("L", (256, 256), 255)
    page.paste(0, (60, 60, 200, 70))
    tensor = spec(page)
    np.testing.assert_array_equal(tensor[0], tensor[2])
    assert tensor.max() == pytest.approx(1.0)
    assert spec.modality == "sketch" and SPEC.modality == "photo"
