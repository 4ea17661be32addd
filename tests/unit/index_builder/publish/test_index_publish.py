"""Versions: one published at a time, an earlier one at hand, nothing half."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from index_builder.artifact import GalleryIndex, IndexCorrupt, IndexNotFound, layout
from index_builder.build import BuildRequest, build_index
from index_builder.errors import BuildError, BuildLocked, GalleryEmpty, GalleryInvalid, RecallTooLow
from index_builder.publish import rollback
from models.bundle import BundleNotFound


@pytest.fixture
def request_(photos: Path, tmp_path: Path, tiny_bundle_dir: Path) -> BuildRequest:
    return BuildRequest(photos, tmp_path / "index", bundle=tiny_bundle_dir)


def versions(out: Path) -> list[int]:
    return [layout.version_sequence(name) for name in layout.list_versions(out)]


def test_each_build_publishes_a_new_version_and_keeps_some(request_: BuildRequest) -> None:
    names = [build_index(request_).version for _ in range(5)]
    assert versions(request_.out) == [3, 4, 5]
    assert layout.current_version(request_.out) == names[-1]
    assert not list((request_.out / "versions").glob(".*"))


def test_rollback_goes_back_one_by_one_and_to_a_named_one(request_: BuildRequest) -> None:
    first, second, third = (build_index(request_).version for _ in range(3))
    out = request_.out
    assert rollback(out) == (third, second)
    assert rollback(out) == (second, first)
    with pytest.raises(IndexNotFound, match="no version before"):
        rollback(out)
    assert GalleryIndex.load(out).version == first
    assert rollback(out, to=third) == (first, third)
    with pytest.raises(IndexNotFound, match=first):
        rollback(out, to="000009-0123456789ab")


def test_a_version_rolled_back_to_survives_later_builds(request_: BuildRequest) -> None:
    first = build_index(request_).version
    build_index(request_)
    rollback(request_.out)
    keep_one = BuildRequest(request_.photos, request_.out, bundle=request_.bundle, keep=1)
    build_index(keep_one)
    # Services read the first version until they see the third.
    assert versions(request_.out) == [1, 3]
    assert first in build_index(keep_one).removed
    assert versions(request_.out) == [3, 4]


def test_rollback_rejects_a_damaged_version_and_stays(request_: BuildRequest) -> None:
    _, second = build_index(request_).version, build_index(request_).version
    (path,) = (request_.out / "segments").glob(f"*/{layout.VECTORS}")  # equal photos, so both versions share it
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    with pytest.raises(IndexCorrupt):
        rollback(request_.out)
    assert layout.current_version(request_.out) == second


def test_a_broken_pointer_is_repaired_by_a_named_rollback(request_: BuildRequest) -> None:
    first = build_index(request_).version
    (request_.out / "current").write_text("garbage")
    with pytest.raises(IndexCorrupt):
        rollback(request_.out)
    assert rollback(request_.out, to=first) == ("unknown", first)


def test_one_writer_at_a_time(request_: BuildRequest) -> None:
    build_index(request_)
    with (request_.out / ".lock").open() as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(BuildLocked, match="pid"):
            build_index(request_)
        with pytest.raises(BuildLocked):
            rollback(request_.out)
    build_index(request_)


def test_what_killed_builds_left_is_removed(request_: BuildRequest) -> None:
    for name in (".building-0123456789ab", ".discarded-000001-0123456789ab"):
        leftover = request_.out / "versions" / name
        leftover.mkdir(parents=True)
        (leftover / layout.VECTORS).write_bytes(b"half")
    version = build_index(request_).version
    assert [path.name for path in (request_.out / "versions").iterdir()] == [version]


def test_a_build_that_fails_changes_nothing(request_: BuildRequest, tmp_path: Path) -> None:
    published = build_index(request_).version
    (tmp_path / "empty").mkdir()
    (tmp_path / "junk").mkdir()
    (tmp_path / "junk" / "a.txt").write_text("no photo")
    (tmp_path / "sketchless").mkdir()
    failing = [
        (BuildRequest(tmp_path / "empty", request_.out, bundle=request_.bundle), GalleryEmpty),
        (BuildRequest(tmp_path / "junk", request_.out, bundle=request_.bundle), GalleryEmpty),
        (BuildRequest(tmp_path / "nowhere", request_.out, bundle=request_.bundle), GalleryInvalid),
        (BuildRequest(request_.photos, request_.out, bundle=tmp_path), BundleNotFound),
        (
            BuildRequest(request_.photos, request_.out, bundle=request_.bundle, sketches=tmp_path / "sketchless"),
            GalleryInvalid,
        ),
    ]
    for request, error in failing:
        with pytest.raises(error):
            build_index(request)
    assert layout.list_versions(request_.out) == [published]
    assert layout.current_version(request_.out) == published
    assert not list((request_.out / "versions").glob(".*"))


def test_an_interrupted_build_cleans_up(request_: BuildRequest) -> None:
    def interrupt(stage: str, done: int, total: int | None) -> None:
        if (stage, done) == ("photos", 3):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_index(request_, interrupt)
    assert list((request_.out / "versions").iterdir()) == []
    assert build_index(request_).manifest.count == 6


def test_a_gate_that_is_missed_publishes_nothing(request_: BuildRequest) -> None:
    published = build_index(request_).version
    # Recall cannot exceed 1, so this gate cannot be met.
    with pytest.raises(RecallTooLow) as caught:
        build_index(BuildRequest(request_.photos, request_.out, bundle=request_.bundle, min_recall=1.01))
    assert caught.value.required == 1.01
    assert layout.list_versions(request_.out) == [published]


def test_an_index_inside_its_gallery_is_rejected(photos: Path, tiny_bundle_dir: Path) -> None:
    for location in (photos, str(photos)):
        with pytest.raises(GalleryInvalid, match="inside the gallery"):
            build_index(BuildRequest(location, photos / "index", bundle=tiny_bundle_dir))
    assert not (photos / "index").exists()


def test_a_place_that_cannot_be_written_is_a_clear_error(request_: BuildRequest, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BuildError, match="cannot be written"):
        build_index(BuildRequest(request_.photos, tmp_path / "file" / "index", bundle=request_.bundle))
