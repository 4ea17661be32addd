"""An update that would lose many photos publishes nothing; renamed, moved and copied ones are not lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index_builder.artifact import GalleryIndex, PhotoRecord, layout
from index_builder.build import BuildRequest, build_index, update_index
from index_builder.errors import TooManyDeleted
from index_builder.segments.reuse_by_hash import Reuse
from tests.unit.index_builder.build.settled import settle

DrawJpeg = Callable[..., bytes]


@pytest.fixture
def large(photos: Path, tmp_path: Path, tiny_bundle_dir: Path, draw_jpeg: DrawJpeg) -> BuildRequest:
    """A published gallery of 30 photos, of which a fifth may leave in an update, or ten."""
    for number in range(24):
        (photos / f"{number}.jpg").write_bytes(draw_jpeg(200 + number))
    settle(photos)
    request = BuildRequest(photos, tmp_path / "index", bundle=tiny_bundle_dir)
    build_index(request)
    return request


def test_photos_that_can_no_longer_be_read_count_as_gone(large: BuildRequest, photos: Path) -> None:
    published = layout.current_version(large.out)
    for number in range(12):
        (photos / f"{number}.jpg").write_bytes(b"")
    with pytest.raises(TooManyDeleted) as raised:
        update_index(large)
    assert (raised.value.deleted, raised.value.published) == (12, 30)
    assert layout.current_version(large.out) == published
    # What the stopped update wrote is gone, and the published version is whole.
    index = GalleryIndex.load(large.out)
    assert (index.problems(), index.count) == ([], 30)
    index.close()
    assert {path.name for path in layout.versions_dir(large.out).iterdir()} == {published}
    assert update_index(replace(large, max_deleted=0.4)).manifest.count == 18


def test_renamed_and_moved_photos_are_not_gone(large: BuildRequest, photos: Path) -> None:
    (photos / "all").mkdir()
    for number in range(24):
        (photos / f"{number}.jpg").rename(photos / "all" / f"{number}.jpg")
    result = update_index(large)
    assert (result.manifest.count, result.manifest.build.embedded) == (30, 0)


def test_a_few_photos_may_always_leave(large: BuildRequest, photos: Path) -> None:
    for number in range(10):
        (photos / f"{number}.jpg").unlink()
    assert update_index(replace(large, max_deleted=0.0)).manifest.count == 20
    (photos / "10.jpg").unlink()
    assert update_index(large).manifest.count == 19


@pytest.mark.parametrize(
    ("before", "kept", "copied", "live", "lost"),
    [
        ([0, 1, -1], [0, 1, -1], {}, None, 1),  # published row 2 is no longer listed
        ([0, 1, -1], [0, 1, -1], {2: 2}, None, 0),  # it is, under another name
        ([0, 1, 2], [0, -1, 2], {}, [True, False, True], 1),  # row 1 changed and cannot be read
        ([0, 1, 2], [0, -1, 2], {}, [True, True, True], 0),
        ([0, -1, -1], [0, 0, -1], {2: 0}, None, 2),  # copies of one photo do not stand for others
    ],
)
def test_what_an_update_loses(
    before: list[int], kept: list[int], copied: dict[int, int], live: list[bool] | None, lost: int
) -> None:
    records = {at: PhotoRecord(row, "", "", "", "", 1, 1, {}) for at, row in copied.items()}
    taken = Reuse(np.array(kept), records, np.array(before))
    assert taken.lost(3, None if live is None else np.array(live)) == lost
