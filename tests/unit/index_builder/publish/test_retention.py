"""What stays on disk: versions that are read, and segments that a version names."""

from __future__ import annotations

from pathlib import Path

import pytest

from index_builder.artifact import GalleryIndex, IndexNotFound, layout
from index_builder.artifact.segments.hold import VersionHold, removable
from index_builder.build import BuildRequest, build_index
from index_builder.retention import collect_segments, prune


@pytest.fixture
def request_(photos: Path, tmp_path: Path, tiny_bundle_dir: Path) -> BuildRequest:
    return BuildRequest(photos, tmp_path / "index", bundle=tiny_bundle_dir, keep=1)


def segments(out: Path) -> set[str]:
    return {path.name for path in layout.segments_dir(out).iterdir()}


def rebuilt_with_another_photo(request: BuildRequest, number: int) -> str:
    photo = Path(request.photos) / "shoe" / "0.jpg"
    photo.with_name(f"more-{number}.jpg").write_bytes(photo.read_bytes())
    return build_index(request).version


def test_a_version_that_is_read_stays_with_its_segments(request_: BuildRequest) -> None:
    first = build_index(request_).version
    reader = GalleryIndex.load(request_.out)
    later = [rebuilt_with_another_photo(request_, number) for number in range(4)]
    assert layout.list_versions(request_.out) == [first, *later[-2:]]
    assert len(segments(request_.out)) == 3
    again = GalleryIndex.load(request_.out, version=first)  # a second reader, long after two builds
    assert again.problems() == []
    reader.close()
    reader.close()
    assert prune(request_.out, 1, in_use=None) == [later[-2]]
    again.close()
    assert prune(request_.out, 1, in_use=None) == [first]
    assert segments(request_.out) == {entry.name for entry in GalleryIndex.load(request_.out).manifest.segments}


def test_a_segment_goes_with_the_last_version_that_names_it(request_: BuildRequest) -> None:
    build_index(request_)
    second = build_index(request_)  # the same photos: the same segment
    (segment,) = second.manifest.segments
    assert second.removed == ()
    third = rebuilt_with_another_photo(request_, 0)
    assert segment.name in segments(request_.out)
    assert layout.list_versions(request_.out) == [second.version, third]
    prune(request_.out, 1, in_use=None)
    assert segment.name not in segments(request_.out)


def test_while_a_manifest_cannot_be_read_no_segment_is_removed(request_: BuildRequest) -> None:
    first = build_index(request_).version
    rebuilt_with_another_photo(request_, 0)
    manifest = layout.version_dir(request_.out, first) / layout.MANIFEST
    data = manifest.read_bytes()
    manifest.write_bytes(data[:-9])
    (layout.segments_dir(request_.out) / "0123456789abcdef").mkdir()
    assert collect_segments(request_.out) == []
    manifest.write_bytes(data)
    assert collect_segments(request_.out) == ["0123456789abcdef"]


def test_nobody_begins_to_read_what_is_being_removed(request_: BuildRequest) -> None:
    folder = layout.version_dir(request_.out, build_index(request_).version)
    with removable(folder) as unread:
        assert unread
        with pytest.raises(IndexNotFound, match="being removed"):
            VersionHold.of(folder)
    hold = VersionHold.of(folder)
    with removable(folder) as unread:
        assert not unread
    hold.release()
    with removable(folder) as unread:
        assert unread
