"""Styles joined from their shifts alone, against one fit to all examples."""

from __future__ import annotations

import numpy as np
import pytest

from models.adapters import StyleAdapter, joined
from models.adapters.style import StyleRule
from models.arrays import Vectors


def rows(seed: int, count: int) -> Vectors:
    return np.random.default_rng(seed).standard_normal((count, 6)).astype(np.float32)


@pytest.mark.parametrize("counts", [(1, 1), (3, 5), (10, 2), (2, 3, 4)])
def test_joined_shifts_are_the_fit_to_all_examples(counts: tuple[int, ...]) -> None:
    rule = StyleRule(rows(0, 1)[0] / 9, strength=0.7, photos_trusted=4.0, share=0.5)
    sketches, around = (
        [rows(10 + n, count) for n, count in enumerate(counts)],
        [rows(20 + n, c) for n, c in enumerate(counts)],
    )
    each = [rule.adapter(s, a, np.arange(len(s))) for s, a in zip(sketches, around, strict=True)]
    whole = rule.adapter(np.concatenate(sketches), np.concatenate(around), np.arange(sum(counts)))
    np.testing.assert_allclose(joined(each, counts, rule.photos_trusted).shift, whole.shift, atol=1e-6)


def test_a_style_of_many_photos_outweighs_one_of_few() -> None:
    left, right = StyleAdapter.shifting(np.zeros(3, np.float32)), StyleAdapter.shifting(np.ones(3, np.float32))
    few, many = (joined([left, right], (8, count), 4.0).shift[0] for count in (1, 8))
    assert 0 < few < many
