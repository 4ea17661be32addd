"""A bundle of schema version 1, with an adaptation of format 1, is read as it was written, for ever."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from models.adapters import Adaptation
from models.bundle import Bundle, Runtime, read_manifest

GOLDEN = Path(__file__).parent / "bundle_v1"


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.load(GOLDEN, Runtime(device="cpu", threads=1))


def waves(*shape: int, phase: float = 0.0) -> NDArray[np.float32]:
    """As make_bundle_v1.py has them; written out again, so that the two cannot change together."""
    count = int(np.prod(shape))
    return np.cos(np.arange(1, count + 1, dtype=np.float64) ** 2 + phase).astype(np.float32).reshape(shape)


def test_schema_version_1_is_read() -> None:
    manifest = read_manifest(GOLDEN)
    assert (manifest.schema_version, manifest.name, manifest.embedding_dim) == (1, "golden", 12)
    assert manifest.bundle_id == "golden-1fdcf83b10c5" == manifest.identity()
    assert manifest.sketch.preprocess.sketch is not None
    assert manifest.sketch.preprocess.sketch.min_extent == 0.2
    assert (manifest.photo.preprocess.fit, manifest.photo.preprocess.modality) == ("stretch", "photo")
    assert manifest.metrics == {"splits": {"none": {"acc@1": 0.5}}}
    assert manifest.provenance["experiment"]["about"] == "made by make_bundle_v1.py"


def test_schema_version_1_embeds(bundle: Bundle) -> None:
    bundle.check_canary()
    image = Image.new("RGB", (16, 16), "white")
    image.paste((0, 51, 102), (0, 0, 8, 8))
    image.paste((255, 0, 0), (8, 8, 16, 16))
    blocks = np.asarray(image, np.float64).transpose(2, 0, 1).reshape(3, 2, 8, 2, 8).mean(axis=(2, 4)) / 255 - 1.001
    expected = blocks.ravel() / np.linalg.norm(blocks)
    np.testing.assert_allclose(bundle.photo.embed([image])[0], expected, atol=1e-6)
    grey = np.asarray(image.convert("L"))
    assert bundle.sketch.embed([Image.fromarray(grey)]).shape == (1, 12)


def test_format_1_of_the_adaptation_is_read(bundle: Bundle) -> None:
    adaptation = bundle.adaptation
    assert adaptation is not None
    assert adaptation.adaptation_id == "golden-387a801a3d76"
    assert (adaptation.method, adaptation.embedding_dim, adaptation.bundle_id) == ("adaptive", 12, bundle.bundle_id)
    settings = adaptation.settings
    assert (settings.rate, settings.power, settings.shrinkage, settings.negatives) == (0.4, 0.25, 1.5, 6)
    assert (settings.style_strength, settings.style_photos, settings.style_share) == (0.75, 4.0, 0.5)
    assert (settings.centre.share, settings.centre.follow, settings.centre.trust) == (1.0, 0.15, 1.0)
    expected = {
        "head": waves(12, 5),
        "down": 0.3 * waves(12, 2, phase=1.0),
        "up": 0.3 * waves(2, 12, phase=2.0),
        "usual": 0.1 * waves(12, phase=3.0),
        "margin.inner_weight": waves(3, 8, phase=4.0),
        "margin.outer_weight": waves(8, 8, phase=5.0),
        "margin.last_weight": waves(8, phase=6.0),
        "margin.inner_bias": np.zeros(8),
        "margin.outer_bias": np.zeros(8),
        "margin.last_bias": np.array([np.log(0.3 / 0.7)]),
    }
    assert adaptation.arrays.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_allclose(adaptation.arrays[name], array, atol=1e-6, err_msg=name)


def test_format_1_is_written_as_it_was_read(bundle: Bundle) -> None:
    assert bundle.adaptation is not None
    again = Adaptation.from_bytes(bundle.adaptation.to_bytes())
    assert again.adaptation_id == bundle.adaptation.adaptation_id


def test_format_1_still_adapts(bundle: Bundle) -> None:
    """Frame, centre, residual, M and the inner step give a map of their shapes, and scores in range."""
    assert bundle.adaptation is not None
    photos = waves(7, 12, phase=0.5)
    photos /= np.linalg.norm(photos, axis=1, keepdims=True)
    sketches = photos[[0, 1, 1, 4]] + 0.2 * waves(4, 12, phase=0.7)
    sketches /= np.linalg.norm(sketches, axis=1, keepdims=True)
    fitted = bundle.adaptation.fit_category(sketches, np.array([0, 1, 1, 4]), photos)
    assert fitted.adapter.map is not None
    assert fitted.adapter.map.shape == (12, 5)
    assert fitted.margin is not None
    assert 0 < fitted.margin < 1
    adapter = fitted.adapter
    scores = adapter.scores(adapter.embed_sketches(sketches), adapter.embed_photos(photos))
    assert scores.shape == (4, 7)
    assert np.abs(scores).max() <= 1
    style = bundle.adaptation.fit_style(sketches, photos[[0, 1, 1, 4]], photos[5:])
    np.testing.assert_allclose(np.linalg.norm(style.adapter.embed_sketches(sketches), axis=1), 1.0, atol=1e-6)
