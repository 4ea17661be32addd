"""Embeddings in parts, against the two cosines that they are made of."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from models.adapters import Adaptation
from models.adapters.errors import AdaptationCorrupt
from models.arrays import Vectors
from models.bundle import Bundle, BundleCorrupt, EmbeddingParts, Focus, add_adaptation, read_manifest

PARTS = EmbeddingParts(layout_dim=6, kind_dim=4, layout_weight=0.6)


def units(count: int, dim: int, seed: int) -> Vectors:
    rows = np.random.default_rng(seed).standard_normal((count, dim))
    unit: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def whole(layout: Vectors, kind: Vectors) -> Vectors:
    return np.concatenate([0.6 * layout, 0.8 * kind], axis=1).astype(np.float32)


LAYOUTS, KINDS = units(5, 6, 1), units(5, 4, 2)
PHOTOS = whole(LAYOUTS, KINDS)
LAYOUT, KIND = units(1, 6, 3), units(1, 4, 4)
SKETCH = whole(LAYOUT, KIND)[0]


def test_layouts_come_back_as_unit_rows() -> None:
    np.testing.assert_allclose(PARTS.layout_of(PHOTOS), LAYOUTS, atol=1e-6)
    assert not PARTS.layout_of(np.zeros((1, 10), np.float32)).any()
    assert PARTS.kind_weight == pytest.approx(0.8)


def test_a_new_layout_leaves_the_kind_alone() -> None:
    moved = PARTS.with_layout(SKETCH, LAYOUTS[2])
    np.testing.assert_allclose(PARTS.layout_of(moved[None])[0], LAYOUTS[2], atol=1e-6)
    np.testing.assert_array_equal(moved[6:], SKETCH[6:])
    assert np.linalg.norm(moved) == pytest.approx(1.0, abs=1e-6)


def test_weights_over_layouts_are_products_with_whole_embeddings() -> None:
    weights = np.random.default_rng(5).standard_normal(6).astype(np.float32)
    np.testing.assert_allclose(PHOTOS @ PARTS.over_layout(weights), LAYOUTS @ weights, atol=1e-6)


@pytest.mark.parametrize(
    ("focus", "expected"),
    [
        ("detail", 0.6 * (LAYOUTS @ LAYOUT[0])),
        ("kind", 0.8 * (KINDS @ KIND[0])),
        ("balanced", 0.36 * (LAYOUTS @ LAYOUT[0]) + 0.64 * (KINDS @ KIND[0])),
    ],
)
def test_focus_reweighs_the_query_alone(focus: Focus, expected: Vectors) -> None:
    query = PARTS.focused(SKETCH, focus)
    assert np.linalg.norm(query) == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(PHOTOS @ query, expected, atol=1e-6)


@pytest.mark.parametrize(
    "parts",
    [
        {"layout_dim": 0, "kind_dim": 4, "layout_weight": 0.5},
        {"layout_dim": 6, "kind_dim": 4, "layout_weight": 1.0},
        {"layout_dim": 6, "kind_dim": 4, "layout_weight": 0.5, "colour_dim": 2},
    ],
)
def test_parts_that_divide_nothing_are_rejected(parts: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"layout_dim|layout_weight|colour_dim"):
        EmbeddingParts.model_validate(parts)


def test_a_bundle_carries_its_parts(parted_bundle_dir: Path, tiny_bundle_dir: Path) -> None:
    bundle = Bundle.load(parted_bundle_dir)
    assert bundle.parts is not None
    assert (bundle.embedding_dim, bundle.manifest.adapted_dim) == (204, 192)
    assert (bundle.parts.layout_dim, bundle.parts.kind_dim, bundle.parts.layout_weight) == (192, 12, 0.6)
    assert bundle.adaptation is not None
    assert bundle.adaptation.embedding_dim == 192
    plain = read_manifest(tiny_bundle_dir)
    assert (plain.parts, plain.adapted_dim) == (None, plain.embedding_dim)


def test_an_adaptation_is_of_the_layout(parted_bundle_dir: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(parted_bundle_dir, tmp_path / "copy"))
    with pytest.raises(AdaptationCorrupt, match="204 numbers"):
        add_adaptation(copied, Adaptation.untrained(204))


def test_parts_must_make_up_the_embedding(parted_bundle_dir: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(parted_bundle_dir, tmp_path / "copy"))
    manifest = json.loads((copied / "manifest.json").read_text())
    manifest["parts"]["kind_dim"] = 13
    (copied / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleCorrupt, match="do not make up 204 numbers"):
        read_manifest(copied)
