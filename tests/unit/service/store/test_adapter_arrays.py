"""An adapter's numbers as bytes: back to the bit, and anything else is rejected by name."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.adapters import CategoryAdapter, LowRankGram, StyleAdapter
from models.arrays import Vectors
from service.errors import OnlineCorrupt
from service.store.arrays import adapter_bytes, adapter_from_bytes, vector_bytes, vector_from_bytes


def numbers(seed: int, *shape: int) -> Vectors:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 99), dim=st.integers(1, 9), width=st.integers(1, 9), parts=st.integers(0, 3))
def test_a_category_adapter_comes_back_to_the_bit(seed: int, dim: int, width: int, parts: int) -> None:
    adapter = CategoryAdapter(
        numbers(seed, dim),
        numbers(seed + 1, dim, width) if parts & 1 else None,
        scale=0.1 + seed,
        offset=-seed / 3,
        sketch_mean=numbers(seed + 2, dim) if parts & 2 else None,
    )
    back = adapter_from_bytes(adapter_bytes(adapter), "adapter-1", dim)
    assert isinstance(back, CategoryAdapter)
    assert (back.scale, back.offset) == (adapter.scale, adapter.offset)
    for ours, theirs in ((adapter.mean, back.mean), (adapter.map, back.map), (adapter.sketch_mean, back.sketch_mean)):
        assert (ours is None) == (theirs is None)
        assert ours is None or theirs is None or ours.tobytes() == theirs.tobytes()


def test_the_short_square_of_a_map_comes_back_to_the_bit() -> None:
    gram = LowRankGram(numbers(3, 5), numbers(4, 5, 2), numbers(5, 2))
    back = adapter_from_bytes(
        adapter_bytes(CategoryAdapter(numbers(0, 5), numbers(1, 5, 5), gram=gram)), "adapter-1", 5
    )
    assert isinstance(back, CategoryAdapter) and back.gram is not None
    for name in ("weights", "axes", "values"):
        assert getattr(back.gram, name).tobytes() == getattr(gram, name).tobytes()


@pytest.mark.parametrize("rank", [0, 2])
def test_a_style_adapter_comes_back_to_the_bit(rank: int) -> None:
    adapter = StyleAdapter(numbers(0, 5, rank), numbers(1, rank, 5), numbers(2, 5))
    back = adapter_from_bytes(adapter_bytes(adapter), "adapter-1", 5)
    assert isinstance(back, StyleAdapter)
    for name in ("down", "up", "shift"):
        assert getattr(back, name).tobytes() == getattr(adapter, name).tobytes()


def saved(**arrays: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no archive",
        adapter_bytes(CategoryAdapter(numbers(0, 4)))[:-30],
        saved(mean=numbers(0, 4)),  # no scale
        saved(mean=numbers(0, 4), scale=np.zeros(3)),
        saved(scale=np.zeros(2)),
        saved(shift=numbers(0, 4)),
        saved(mean=np.array([1, 2, np.nan, 4], np.float32), scale=np.ones(2)),
        saved(mean=numbers(0, 4), scale=np.array([np.inf, 0])),
        saved(mean=numbers(0, 4), scale=np.ones(2), map=numbers(0, 5, 3)),
        saved(mean=numbers(0, 4), scale=np.ones(2), sketch_mean=numbers(0, 3)),
        saved(
            mean=numbers(0, 4),
            scale=np.ones(2),
            gram_weights=numbers(0, 4),
            gram_axes=numbers(0, 4, 2),
            gram_values=numbers(0, 3),
        ),
        saved(
            mean=numbers(0, 4),
            scale=np.ones(2),
            gram_weights=numbers(0, 3),
            gram_axes=numbers(0, 4, 2),
            gram_values=numbers(0, 2),
        ),
        saved(mean=numbers(0, 4), scale=np.ones(2), gram_axes=numbers(0, 4, 2)),
        saved(down=numbers(0, 4, 2), up=numbers(0, 2, 3), shift=numbers(0, 4)),
    ],
)
def test_other_bytes_are_rejected_by_the_adapters_id(data: bytes) -> None:
    with pytest.raises(OnlineCorrupt, match="adapter-7"):
        adapter_from_bytes(data, "adapter-7", 4)


def test_an_adapter_of_another_dimension_is_rejected() -> None:
    data = adapter_bytes(CategoryAdapter(numbers(0, 4), numbers(1, 4, 2)))
    assert adapter_from_bytes(data, "adapter-1", 4)
    with pytest.raises(OnlineCorrupt, match="5 numbers"):
        adapter_from_bytes(data, "adapter-1", 5)


def test_nothing_that_could_be_executed_is_read() -> None:
    buffer = io.BytesIO()
    np.savez(buffer, mean=np.array([object()], dtype=object), scale=np.ones(2))
    with pytest.raises(OnlineCorrupt):
        adapter_from_bytes(buffer.getvalue(), "adapter-1", 1)


def test_vectors_are_little_endian_float32() -> None:
    vector = numbers(3, 7)
    assert vector_bytes(vector) == vector.astype("<f4").tobytes()
    assert vector_from_bytes(vector_bytes(vector)).tobytes() == vector.tobytes()
    every_other = numbers(3, 8)[::2]
    assert vector_from_bytes(vector_bytes(every_other)).tolist() == every_other.tolist()
