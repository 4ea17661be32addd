"""Many small segments become one in a bounded number of files; perceptual hashes over several segments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index_builder.artifact import GalleryIndex, PhotoRecord, Thumbnail, layout
from index_builder.artifact.photos.store import PhotoStore
from index_builder.artifact.segments.opening import open_parts
from index_builder.build import BuildRequest, build_index, update_index
from index_builder.report import Report
from index_builder.segments.append import SegmentWriter
from index_builder.segments.compact import join_segments
from index_builder.stores.exact import ExactStore

DIM = 4
RECORD = PhotoRecord(0, "", "thing", "", "", 10, 20, {})


def write_part(folder: Path, first: int, count: int) -> None:
    folder.mkdir()
    with SegmentWriter(folder, (), DIM) as writer:
        for number in range(first, first + count):
            record = replace(
                RECORD, photo_id=f"{number:04d}", path=f"{number:04d}.jpg", sha256=f"{number % 7 or number:064x}"
            )
            writer.append(record, Thumbnail(b"%d" % number, f"{number}", number), np.eye(DIM, dtype=np.float32)[0])


def test_segments_are_closed_one_after_another(tmp_path: Path) -> None:
    sizes = [1, 3, 2] * 10
    starts = np.cumsum([0, *sizes])[:-1].tolist()
    for start, size in zip(starts, sizes, strict=True):
        write_part(tmp_path / f"part-{start}", start, size)
    opened_files = []

    def joined() -> Iterator[tuple[Path, ExactStore]]:
        for start, size in zip(starts, sizes, strict=True):
            opened_files.append(len(list(Path("/proc/self/fd").iterdir())))
            folder = tmp_path / f"part-{start}"
            yield folder, ExactStore.open(folder / layout.VECTORS, count=size, dim=DIM)

    (tmp_path / "joined").mkdir()
    with Report(tmp_path / "report.jsonl") as report:
        count = join_segments(tmp_path / "joined", joined(), fields=(), dim=DIM, report=report)
    assert count == sum(sizes)
    # Each has two files open while it is read; all at once would be sixty.
    assert max(opened_files) - min(opened_files) < 10
    photos = PhotoStore(tmp_path / "joined" / layout.PHOTOS, ())
    assert photos.problems() == []
    assert [record.photo_id for record in photos.records()] == [f"{number:04d}" for number in range(count)]
    assert [thumbnail.jpeg for thumbnail in photos.thumbnails(range(count))] == [b"%d" % n for n in range(count)]
    rows, hashes = photos.every_perceptual_hash()
    assert rows.tolist() == hashes.tolist() == list(range(count))
    photos.close()
    # Those whose bytes an earlier one has: of 1 ... 59, each number is a remainder of 7, or a multiple of it alone.
    first: dict[int, int] = {}
    repeated = [n for n in range(count) if first.setdefault(n % 7 or n, n) != n]
    assert report.noted["duplicate_bytes"] == len(repeated)


def test_hashes_of_all_rows_are_those_of_single_rows(two_segments: GalleryIndex) -> None:
    rows = list(range(two_segments.count))
    folder = layout.version_dir(two_segments.files[0].parents[2], two_segments.version)
    _, photos = open_parts(folder, two_segments.manifest)
    every, hashes = photos.every_perceptual_hash()
    photos.close()
    # A renamed photo keeps its hash with its thumbnail.
    assert every.tolist() == rows
    assert dict(zip(every.tolist(), hashes.tolist(), strict=True)) == two_segments.perceptual_hashes(rows)
    assert two_segments.perceptual_hashes(rows[::-2]) == {row: int(hashes[row]) for row in rows[::-2]}


@pytest.fixture
def two_segments(photos: Path, tmp_path: Path, tiny_bundle_dir: Path) -> Iterator[GalleryIndex]:
    """Five photos: of the first segment's six, one was deleted and one renamed."""
    from_build = BuildRequest(photos, tmp_path / "index", bundle=tiny_bundle_dir)
    build_index(from_build)
    (photos / "shoe" / "1.jpg").unlink()
    (photos / "shoe" / "2.jpg").rename(photos / "another.jpg")
    update_index(from_build)
    index = GalleryIndex.load(tmp_path / "index")
    assert len(index.manifest.segments) == 2
    yield index
    index.close()
