"""Groups of photos that look the same, against the definition written as loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index_builder.artifact import groups_of
from index_builder.artifact.look_alikes import MAX_BITS, MIN_COSINE
from models.arrays import Vectors


def bits(one: int, other: int) -> int:
    return ((one ^ other) & (2**64 - 1)).bit_count()


def naive(hashes: list[int], vectors: Vectors, first: set[int]) -> list[list[int]]:
    groups: list[list[int]] = [[position] for position in sorted(first)]
    for position in range(len(hashes)):
        if position in first:
            continue
        for group in groups:
            cosine = float(vectors[group[0]].astype(np.float64) @ vectors[position])
            if bits(hashes[group[0]], hashes[position]) <= MAX_BITS and cosine >= MIN_COSINE:
                group.append(position)
                break
        else:
            groups.append([position])
    return sorted(groups, key=lambda group: group[0])


@given(
    looks=st.lists(st.tuples(st.integers(0, 2), st.sets(st.integers(0, 63), max_size=4), st.booleans()), max_size=12),
    first=st.sets(st.integers(0, 11), max_size=3),
)
def test_groups_are_those_of_the_definition(looks: list[tuple[int, set[int], bool]], first: set[int]) -> None:
    first = {position for position in first if position < len(looks)}
    bases = np.random.default_rng(0).integers(-(2**63), 2**63, 3).tolist()
    hashes = []
    vectors = np.zeros((len(looks), 4), np.float32)
    for position, (base, flipped, turned) in enumerate(looks):
        value = bases[base] & (2**64 - 1)
        for bit in flipped:
            value ^= 1 << bit
        hashes.append(value - 2**64 if value >= 2**63 else value)
        # The same direction, or another one at a cosine of 0.6 with it.
        vectors[position, base] = 0.6 if turned else 1.0
        vectors[position, 3] = 0.8 if turned else 0.0
    groups = groups_of(hashes, vectors, first)
    assert groups == naive(hashes, vectors, first)
    assert sorted(position for group in groups for position in group) == list(range(len(looks)))


@pytest.mark.parametrize(("cosine", "flipped", "together"), [(0.96, 3, True), (0.94, 3, False), (0.96, 4, False)])
def test_both_the_hash_and_the_embedding_have_to_agree(cosine: float, flipped: int, together: bool) -> None:
    vectors = np.array([[1, 0], [cosine, (1 - cosine**2) ** 0.5]], np.float32)
    assert groups_of([0, 2**flipped - 1], vectors) == ([[0, 1]] if together else [[0], [1]])


def test_of_no_photos_there_is_no_group() -> None:
    assert groups_of([], np.empty((0, 4), np.float32)) == []
