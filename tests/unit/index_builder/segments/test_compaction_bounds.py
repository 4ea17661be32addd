"""A year of updates: what the bounds of compaction leave of segments, of disk, and of photos written again."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from index_builder.artifact.manifest import SegmentEntry
from index_builder.segments.compact import MAX_DELETED_SHARE, MAX_SEGMENTS, segments_to_merge
from index_builder.stores.plan import DEFAULT_SETTINGS, SearchPlan


@dataclass
class Gallery:
    """Segments as an update leaves them: (rows, live rows), each as large on the disk as it has rows."""

    segments: list[tuple[int, int]]
    added: int = 0
    rewritten: int = 0
    largest_merge: float = 0.0
    most_segments: int = 0
    most_disk: float = 0.0
    random: random.Random = field(default_factory=lambda: random.Random(0))

    @property
    def live(self) -> int:
        return sum(live for _, live in self.segments)

    def entries(self) -> list[SegmentEntry]:
        plans = {True: SearchPlan(kind="flat"), False: SearchPlan(kind="hnsw")}
        return [
            SegmentEntry(
                name=f"{number:016x}",
                count=count,
                live=live,
                search=plans[count <= DEFAULT_SETTINGS.flat_max_photos],
                bytes=count,
            )
            for number, (count, live) in enumerate(self.segments)
        ]

    def update(self, added: int, deleted: int) -> None:
        for _ in range(min(deleted, self.live - 1)):
            # A photo of any segment, the more likely the more it has.
            (number,) = self.random.choices(range(len(self.segments)), [live for _, live in self.segments])
            count, live = self.segments[number]
            self.segments[number] = count, live - 1
        self.segments = [segment for segment in self.segments if segment[1]]
        if added:
            self.segments.append((added, added))
            self.added += added
        merged = segments_to_merge(self.entries())
        if merged:
            rows = sum(self.segments[number][1] for number in merged)
            self.segments = [one for number, one in enumerate(self.segments) if number not in merged] + [(rows, rows)]
            self.rewritten += rows
            self.largest_merge = max(self.largest_merge, rows / self.live)
        self.most_segments = max(self.most_segments, len(self.segments))
        self.most_disk = max(self.most_disk, sum(count for count, _ in self.segments) / self.live)
        for count, live in self.segments:
            assert count - live <= MAX_DELETED_SHARE * count


@pytest.mark.parametrize(
    ("photos", "added", "deleted"),
    [
        (200_000, 2_000, 0),  # 1 % a day
        (200_000, 200, 200),  # as many go as come: what is deleted costs the large segment, once in a while
        (30_000, 300, 30),
        (500, 5, 2),
    ],
)
def test_a_year_of_updates_keeps_the_bounds(photos: int, added: int, deleted: int) -> None:
    gallery = Gallery([(photos, photos)])
    for _ in range(365):
        gallery.update(added, deleted)
    assert gallery.most_segments <= MAX_SEGMENTS
    # Beside the live rows, the disk of a version has deleted ones, and while segments are merged, the merged rows.
    assert gallery.most_disk <= 1 / (1 - MAX_DELETED_SHARE)
    assert gallery.largest_merge <= 1.0
    # 9 to 12 times: a merge takes the smallest segments, and the largest only once too many of its rows are deleted.
    assert gallery.rewritten <= 16 * gallery.added
