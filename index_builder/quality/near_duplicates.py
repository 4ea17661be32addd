"""Photos that look the same, though their files differ: a perceptual hash proposes them, the embedding confirms.

Of two hashes of 64 bits that differ in at most three, one of four groups of 16 bits is equal: photos are compared with
those alone that share a group. A group that hundreds share says little, such as that of pictures with a blank quarter.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from index_builder.artifact.look_alikes import MAX_BITS, MIN_COSINE
from index_builder.stores.base import VectorStore
from models.arrays import Rows

Positions: TypeAlias = npt.NDArray[np.int32]

_GROUPS = 4
_PART_BITS = 6  # of a group: hashes that share them are sorted at a time, which takes less memory than all at once
_BLOCK = 2**12
_MOST_ALIKE = 256  # members of a group that are compared with each photo; those next to it by hash come first


def near_duplicates(
    rows: Rows, hashes: npt.NDArray[np.int64], is_new: npt.NDArray[np.bool_], store: VectorStore
) -> Iterator[tuple[int, int, float]]:
    """(row, other row, cosine) of each new row that looks like another photo: the lowest such row.

    `rows` (N,): ascending, those that have a perceptual hash; `hashes` (N,): signed numbers; `is_new` (N,): which rows
    are looked at. Of two new photos that look alike, the later one is named.
    """
    values = np.ascontiguousarray(hashes, "<i8").view("<u8")
    # The first twin of each position, by position: all pairs of a gallery whose photos are alike would fill the memory.
    twins = np.full(len(rows), len(rows), np.int32)
    for group in range(_GROUPS):
        for position, others in _alike(values, is_new, group):
            for other in others[others < twins[position]].tolist():
                if _cosine(store, int(rows[position]), int(rows[other])) >= MIN_COSINE:
                    twins[position] = other
                    break
    for start in range(0, len(rows), _BLOCK):
        for position in (start + np.flatnonzero(twins[start : start + _BLOCK] < len(rows))).tolist():
            row, other = int(rows[position]), int(rows[twins[position]])
            yield row, other, _cosine(store, row, other)


def _alike(
    values: npt.NDArray[np.uint64], is_new: npt.NDArray[np.bool_], group: int
) -> Iterator[tuple[int, Positions]]:
    """(position to name, ascending positions that it is like) of hashes that share a group of bits and few others."""
    for members in _sharing(values, values.view("<u2").reshape(-1, _GROUPS)[:, group]):
        for at in np.flatnonzero(is_new[members]).tolist():
            position = int(members[at])
            around = members[max(0, at - _MOST_ALIKE // 2) : at + _MOST_ALIKE // 2]
            near = around[np.bitwise_count(values[around] ^ values[position]) <= MAX_BITS]
            # A new photo is like one that was there; of two new ones, the later is like the earlier.
            earlier = near[(near != position) & (~is_new[near] | (near < position))]
            if len(earlier):
                yield position, np.sort(earlier)


def _sharing(values: npt.NDArray[np.uint64], shared: npt.NDArray[np.uint16]) -> Iterator[Positions]:
    """The positions of each value of `shared` (N,) that several have, in the order of `values` (N,)."""
    for part in range(1 << _PART_BITS):
        some = np.flatnonzero(shared >> (16 - _PART_BITS) == part).astype(np.int32)
        keys = shared[some]
        order = np.lexsort((values[some], keys))
        ends = np.flatnonzero(np.diff(keys[order])) + 1
        for start, end in pairwise([0, *ends.tolist(), len(order)]):
            if end - start > 1:
                yield some[order[start:end]]


def _cosine(store: VectorStore, row: int, other: int) -> float:
    (vector,) = store.vectors_of(np.array([row]))
    return float(store.products(vector[None], np.array([other]))[0, 0])
