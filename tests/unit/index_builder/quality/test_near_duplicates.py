"""Photos that look the same are named; those that only resemble each other in one way are not."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from index_builder.artifact.look_alikes import MAX_BITS, MIN_COSINE
from index_builder.artifact.photos.thumbnails import difference_hash, make_thumbnail
from index_builder.quality.near_duplicates import near_duplicates
from index_builder.stores.exact import ExactStore
from models.arrays import Vectors


def unit(vectors: npt.NDArray[Any]) -> Vectors:
    rows: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return rows


def naive(hashes: dict[int, int], vectors: Vectors, new: set[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for row in sorted(new & hashes.keys()):
        for other in sorted(hashes):
            differs = ((hashes[row] ^ hashes[other]) % 2**64).bit_count()
            earlier = other not in new or other < row
            if other != row and earlier and differs <= MAX_BITS and float(vectors[row] @ vectors[other]) >= MIN_COSINE:
                found.setdefault(row, other)
    return found


@settings(max_examples=60, deadline=None)
@given(data=st.data(), count=st.integers(1, 25))
def test_they_are_those_of_a_comparison_of_all_pairs(data: st.DataObject, count: int) -> None:
    few_bits = st.integers(-(2**63), 2**63 - 1)
    seeds = data.draw(st.lists(few_bits, min_size=2, max_size=2))
    flips = st.lists(st.integers(0, 62), max_size=4)
    hashes: dict[int, int] = {}
    for row in range(count):
        if data.draw(st.integers(0, 9)):  # some photos have none
            value = data.draw(st.sampled_from(seeds))
            for bit in data.draw(flips):
                value ^= 1 << bit
            hashes[row] = value
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    vectors = unit(np.eye(6, dtype=np.float32)[rng.integers(0, 2, count)] + rng.normal(0, 0.1, (count, 6)))
    new = data.draw(st.sets(st.integers(0, count - 1)))
    rows = np.array(sorted(hashes), np.int64)
    values = np.array([hashes[row] for row in sorted(hashes)], np.int64)
    found = near_duplicates(rows, values, np.isin(rows, sorted(new)), ExactStore(vectors))
    assert {row: other for row, other, _ in found} == naive(hashes, vectors, new)


def test_nothing_has_no_duplicates() -> None:
    store = ExactStore(unit(np.ones((2, 3), np.float32)))
    none, both = np.empty(0, np.int64), np.array([0, 1])
    assert list(near_duplicates(none, none, np.empty(0, bool), store)) == []
    assert list(near_duplicates(both, np.array([5, 5]), np.zeros(2, bool), store)) == []


@pytest.fixture
def picture(draw_jpeg: Callable[..., bytes]) -> Image.Image:
    noise = np.random.default_rng(1).integers(0, 255, (7, 9, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((300, 240), Image.Resampling.BICUBIC)


def bits_between(one: Image.Image, other: Image.Image) -> int:
    return ((difference_hash(one) ^ difference_hash(other)) % 2**64).bit_count()


def test_a_hash_survives_what_leaves_the_picture_the_same(picture: Image.Image) -> None:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=40)
    for same in (Image.open(buffer), picture.resize((120, 96)), ImageEnhance.Brightness(picture).enhance(0.8)):
        assert bits_between(picture, same) <= MAX_BITS
    assert bits_between(picture, picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)) > 10
    assert make_thumbnail(picture).perceptual_hash == difference_hash(
        picture.resize((256, 205), Image.Resampling.BICUBIC)
    )
