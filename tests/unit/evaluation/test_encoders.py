"""HOG against a loop over pixels from its definition, and data sets through it: what is usable, and what is not."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.data.datasets import open_dataset
from models.evaluation.embeddings import embed_photos, embed_sketches
from models.evaluation.encoders import HogPair
from models.evaluation.hog import hog


def naive_hog(grey: np.ndarray, cell_px: int) -> list[float]:
    """Dalal & Triggs pixel by pixel: votes into two bins, 2 x 2 blocks, normalised, clipped, normalised again."""
    height, width = grey.shape
    dy, dx = np.gradient(grey)
    cells = [[[0.0] * 9 for _ in range(width // cell_px)] for _ in range(height // cell_px)]
    for y in range(height):
        for x in range(width):
            angle = (math.atan2(dy[y, x], dx[y, x]) % math.pi) / math.pi * 9 - 0.5
            lower, strength = math.floor(angle), math.hypot(dx[y, x], dy[y, x])
            votes = cells[y // cell_px][x // cell_px]
            votes[lower % 9] += strength * (1 - (angle - lower))
            votes[(lower + 1) % 9] += strength * (angle - lower)
    features: list[float] = []
    for row in range(len(cells) - 1):
        for column in range(len(cells[0]) - 1):
            block = [*cells[row][column], *cells[row][column + 1], *cells[row + 1][column], *cells[row + 1][column + 1]]
            features += unit([min(value, 0.2) for value in unit(block)])
    return unit(features)


def unit(values: list[float]) -> list[float]:
    length = max(math.sqrt(sum(value * value for value in values)), 1e-6)
    return [value / length for value in values]


def test_hog_is_that_of_a_loop_over_pixels() -> None:
    grey = np.random.default_rng(0).uniform(0, 255, (32, 48)).astype(np.float32)
    np.testing.assert_allclose(hog(grey, cell_px=8), naive_hog(grey.astype(float), 8), atol=1e-5)


def test_hog_sees_sketches_as_the_encoders_do() -> None:
    drawing = Image.new("L", (400, 200), 255)
    drawing.paste(0, (300, 60, 360, 120))
    pair = HogPair()
    assert pair.sketch.view(drawing).size == pair.photo.view(drawing).size == (160, 160)
    row = pair.sketch.encode(pair.sketch.prepare(drawing)[None])
    assert row.shape == (1, pair.sketch.embedding_dim)
    assert np.linalg.norm(row) == pytest.approx(1.0, abs=1e-5)


def test_rows_are_those_of_each_image_by_itself_and_unusable_ones_say_why(pairs_dir: Path) -> None:
    Image.new("L", (64, 64), 255).save(pairs_dir / "sketches/lamp/1_0.png")
    (pairs_dir / "photos/mug/2.png").write_bytes(b"no image")
    dataset, pair = open_dataset(pairs_dir).split("val"), HogPair()
    done: list[int] = []
    sketches = embed_sketches(pair, dataset.records, done.append)
    photos = embed_photos(pair, tuple(dataset.photos.values()))
    assert sum(done) == len(dataset.records)
    (empty,) = sketches.unusable
    assert dataset.records[empty].sketch.name == "sketches/lamp/1_0.png"
    assert "empty" in sketches.unusable[empty]
    (broken,) = photos.unusable
    assert list(dataset.photos.values())[broken].path.name == "2.png"
    assert not photos.vectors[broken].any()
    for row, record in list(enumerate(dataset.records))[:5]:
        if row != empty:
            alone = pair.sketch.encode(pair.sketch.prepare(record.sketch.image())[None])[0]
            np.testing.assert_allclose(sketches.vectors[row], alone, atol=1e-6)
