"""Which segments become one, by the bounds on their number, on deleted rows and on exact search."""

from __future__ import annotations

import pytest

from index_builder.artifact.manifest import SegmentEntry
from index_builder.segments.compact import segments_to_merge
from index_builder.stores.plan import IndexKind, SearchPlan


def entry(number: int, count: int, live: int | None = None, kind: IndexKind = "flat") -> SegmentEntry:
    live = count if live is None else live
    return SegmentEntry(name=f"{number:016x}", count=count, live=live, search=SearchPlan(kind=kind), bytes=1)


@pytest.mark.parametrize(
    ("segments", "merged"),
    [
        ([entry(0, 10)], []),
        ([entry(0, 10, 7), entry(1, 10)], []),
        ([entry(0, 10, 6), entry(1, 10)], [0]),
        ([entry(0, 200_000, kind="hnsw"), entry(1, 15_000), entry(2, 5_000)], []),
        ([entry(0, 200_000, kind="hnsw"), entry(1, 15_000), entry(2, 5_001)], [1, 2]),
        ([entry(0, 100_000), entry(1, 1_000)], []),  # exact because somebody asked for that
        ([entry(0, 1_000)] + [entry(number, number) for number in range(1, 8)], []),
        ([entry(0, 1_000)] + [entry(number, number) for number in range(1, 9)], [1, 2, 3, 4, 5, 6]),
    ],
)
def test_no_more_than_the_bounds_need(segments: list[SegmentEntry], merged: list[int]) -> None:
    assert segments_to_merge(segments) == merged
