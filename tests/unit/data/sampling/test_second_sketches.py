"""The second sketch of each photo: another person's, else a synthetic one, else the same again."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from models.data.sampling.category_batches import Batch, CategoryPool
from models.data.sampling.second_sketches import SecondSketches

# Photo 0 has three people's sketches and a synthetic one, 1 one of each, 2 one sketch alone, 3 synthetic ones alone.
POOL = CategoryPool(
    name="cup",
    weight=1.0,
    photos=(0, 1, 2, 3),
    sketches=((10, 11, 12), (13,), (14,), ()),
    synthetic=((20,), (21,), (), (22, 23)),
)
SECOND = SecondSketches((POOL,), seed=4)


def batch(*pairs: tuple[int, int]) -> Batch:
    sketches, photos = np.array(pairs, dtype=np.int64).T
    return Batch(sketches, photos, np.zeros(len(pairs), dtype=np.int64))


@pytest.mark.parametrize(
    ("sketch", "photo", "others"),
    [
        (10, 0, {11, 12}),
        (20, 0, {10, 11, 12}),
        (13, 1, {21}),
        (21, 1, {13}),
        (14, 2, {14}),
        (22, 3, {23}),
    ],
)
def test_people_s_sketches_come_before_synthetic_ones(sketch: int, photo: int, others: set[int]) -> None:
    drawn = {int(SECOND.rows(batch((sketch, photo)), step)[0]) for step in range(40)}
    assert drawn == others


def test_every_other_sketch_is_as_likely() -> None:
    counts = Counter(int(row) for step in range(200) for row in SECOND.rows(batch(*[(10, 0)] * 8), step))
    assert counts.keys() == {11, 12}
    assert abs(counts[11] - 800) < 4 * np.sqrt(1600 / 4)


def test_rows_depend_on_seed_and_step_alone() -> None:
    pairs = batch(*[(10, 0), (22, 3)] * 10)
    again = SecondSketches((POOL,), seed=4)
    assert np.array_equal(SECOND.rows(pairs, 7), again.rows(pairs, 7))
    assert not np.array_equal(SECOND.rows(pairs, 8), again.rows(pairs, 7))
    assert not np.array_equal(SecondSketches((POOL,), seed=5).rows(pairs, 7), again.rows(pairs, 7))
    assert SECOND.rows(pairs, 7).dtype == np.int64
