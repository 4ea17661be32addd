"""When two photos look the same though their files differ: by a perceptual hash, and then by the embedding."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np

from models.arrays import Vectors

MAX_BITS: Final = 3
"""Of the 64 of a perceptual hash (`thumbnails.difference_hash`), so many may differ."""
MIN_COSINE: Final = 0.95
"""Below, photos of one product from two sides pass as well."""


def groups_of(hashes: Sequence[int], vectors: Vectors, first: Collection[int] = ()) -> list[list[int]]:
    """N photos, best first -> the positions of those that look the same, group by group; each is in one group.

    `hashes`: signed numbers of 64 bits; `vectors` (N, E): unit rows. A photo joins the first group whose leader it
    looks like, or leads one of its own. A leader comes before its members, and groups come in the order of their
    leaders. The photos at `first` lead groups whatever comes before them: they were answered already.
    """
    values = np.array(hashes, np.int64).view(np.uint64)
    early = sorted(first)
    order = [*early, *(position for position in range(len(values)) if position not in frozenset(early))]
    leaders = np.empty(len(values), np.int64)
    groups: list[list[int]] = []
    for number, position in enumerate(order):
        led = leaders[: len(groups)]
        alike = np.empty(0, np.int64)
        if number >= len(early):
            near = np.flatnonzero(np.bitwise_count(values[led] ^ values[position]) <= MAX_BITS)
            alike = near[vectors[led[near]] @ vectors[position] >= MIN_COSINE]
        if len(alike):
            groups[int(alike[0])].append(position)
        else:
            leaders[len(groups)] = position
            groups.append([position])
    return sorted(groups)
