"""Category adapters against their definition: mean-centring, the map, and scores on the scale of plain cosines."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.adapters import Adapter, CategoryAdapter, NoAdapter
from models.adapters.category import category_mean, centred_cosines, score_scale
from models.arrays import Vectors

RANDOM = np.random.default_rng(0)


def unit(count: int, dim: int = 16, shared: float = 1.0, seed: int = 0) -> Vectors:
    """Rows of length 1 that share a direction, as photos of a category do."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, dim)) + shared * np.random.default_rng(99).normal(size=dim)
    scaled: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def cosine(a: Vectors, b: Vectors) -> float:
    return float(a @ b) / (math.sqrt(float(a @ a)) * math.sqrt(float(b @ b)))


@pytest.mark.parametrize("count", [1, 2, 5, 40])
def test_the_mean_of_few_photos_is_shrunk(count: int) -> None:
    photos = unit(count)
    expected = sum(photos.astype(np.float64)) / (count + 4)
    np.testing.assert_allclose(category_mean(photos), expected, atol=1e-6)


@pytest.mark.parametrize("with_map", [False, True])
@pytest.mark.parametrize("with_sketch_mean", [False, True])
def test_embeddings_are_centred_mapped_and_of_length_1(with_map: bool, with_sketch_mean: bool) -> None:
    photos, sketches, mean = unit(6), unit(3, seed=1), category_mean(unit(6))
    map_ = RANDOM.normal(size=(16, 5)).astype(np.float32) if with_map else None
    sketch_mean = RANDOM.normal(size=16).astype(np.float32) if with_sketch_mean else None
    adapter = CategoryAdapter(mean, map_, sketch_mean=sketch_mean)
    for rows, centre, embedded in (
        (photos, mean, adapter.embed_photos(photos)),
        (sketches, mean if sketch_mean is None else sketch_mean, adapter.embed_sketches(sketches)),
    ):
        for row, found in zip(rows, embedded, strict=True):
            moved = row - centre
            moved = moved if map_ is None else moved @ map_
            np.testing.assert_allclose(found, moved / np.linalg.norm(moved), atol=1e-5)
            assert found.dtype == np.float32


def test_a_row_that_equals_the_mean_becomes_zeros_and_scores_the_offset() -> None:
    mean = unit(1)[0]
    adapter = CategoryAdapter(mean, scale=0.5, offset=0.25)
    embedded = adapter.embed_photos(mean[None])
    np.testing.assert_array_equal(embedded, np.zeros((1, 16)))
    np.testing.assert_allclose(adapter.scores(adapter.embed_sketches(unit(2)), embedded), 0.25)


def test_an_adapter_never_writes_into_its_arguments() -> None:
    photos, sketches = unit(5), unit(2, seed=1)
    kept = photos.copy(), sketches.copy()
    adapter = CategoryAdapter.centred(photos)
    adapter.scores(adapter.embed_sketches(sketches), adapter.embed_photos(photos))
    np.testing.assert_array_equal(photos, kept[0])
    np.testing.assert_array_equal(sketches, kept[1])


@pytest.mark.parametrize("count", [3, 10, 300, 700])
def test_the_similarity_of_photos_keeps_its_mean_and_deviation(count: int) -> None:
    """What `calibrated` is for: a threshold on scores means the same with an adapter as without."""
    photos = unit(count, shared=2.0)
    adapter = CategoryAdapter.centred(photos)
    sample = photos[:: max(1, math.ceil(count / 256))]
    assert len(sample) <= 256
    embedded = adapter.embed_photos(sample)
    before, after = [], []
    for i in range(len(sample)):
        for j in range(i):
            before.append(cosine(sample[i], sample[j]))
            after.append(adapter.offset + adapter.scale * cosine(embedded[i], embedded[j]))
    assert np.mean(after) == pytest.approx(np.mean(before), abs=1e-4)
    assert np.std(after) == pytest.approx(np.std(before), abs=1e-4)


@pytest.mark.parametrize("photos", [unit(1), unit(2), np.repeat(unit(1), 9, axis=0)])
def test_too_few_photos_or_photos_that_are_alike_leave_the_scale(photos: Vectors) -> None:
    assert score_scale(photos, photos) == (1.0, 0.0)
    adapter = CategoryAdapter.centred(photos)
    assert (adapter.scale, adapter.offset) == (1.0, 0.0)


def test_scores_are_rescaled_cosines_within_their_range() -> None:
    adapter = CategoryAdapter(np.zeros(16, np.float32), scale=3.0, offset=0.5)
    sketches, photos = unit(4, shared=0.0, seed=3), unit(30, shared=0.0, seed=4)
    scores = adapter.scores(sketches, photos)
    for row, sketch in enumerate(sketches):
        for column, photo in enumerate(photos):
            expected = min(1.0, max(-1.0, 0.5 + 3.0 * cosine(sketch, photo)))
            assert scores[row, column] == pytest.approx(expected, abs=1e-5)
    assert scores.max() == 1.0


@given(st.integers(1, 12), st.integers(1, 4), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_centred_cosines_are_those_of_the_centred_adapter(count: int, queries: int, seed: int) -> None:
    photos, sketches = unit(count, seed=seed), unit(queries, seed=seed + 1)
    adapter = CategoryAdapter(category_mean(photos))
    expected = [[cosine(s - adapter.mean, p - adapter.mean) for p in photos] for s in sketches]
    np.testing.assert_allclose(centred_cosines(sketches, photos), expected, atol=2e-4)
    embedded = adapter.embed_sketches(sketches) @ adapter.embed_photos(photos).T
    np.testing.assert_allclose(centred_cosines(sketches, photos), embedded, atol=2e-4)


def test_mean_centring_ranks_what_plain_cosines_confuse() -> None:
    """Photos that share nearly everything: the sketch is nearest to the shared direction, not to its own photo."""
    random = np.random.default_rng(5)
    shared = np.zeros(64)
    shared[0] = 6.0
    photos = shared + random.normal(size=(50, 64))
    photos = (photos / np.linalg.norm(photos, axis=1, keepdims=True)).astype(np.float32)
    own = np.arange(50)
    drawn = 0.35 * (photos - photos.mean(axis=0)) + photos.mean(axis=0) + 0.04 * random.normal(size=(50, 64))
    sketches = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    adapter = CategoryAdapter.centred(photos)
    centred = adapter.scores(adapter.embed_sketches(sketches), adapter.embed_photos(photos))
    assert (centred.argmax(axis=1) == own).mean() > ((sketches @ photos.T).argmax(axis=1) == own).mean()


def test_no_adapter_is_plain_cosines() -> None:
    adapter: Adapter = NoAdapter()
    sketches, photos = unit(3, seed=7), unit(5, seed=8)
    assert adapter.embed_sketches(sketches) is sketches
    assert adapter.embed_photos(photos) is photos
    scores = adapter.scores(sketches, photos)
    for row in range(3):
        for column in range(5):
            assert scores[row, column] == pytest.approx(cosine(sketches[row], photos[column]), abs=1e-6)
    assert adapter.scores(photos, photos).max() <= 1.0
