"""A build that was interrupted goes on where it was: what it had finished is taken over, and only if it is right."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index_builder.artifact import GalleryIndex, layout
from index_builder.build import BuildRequest, BuildResult, build_index, update_index
from index_builder.build.request import Stage

COUNT, PARTITION = 22, 4


class Interrupted(Exception):
    """Stands for whatever ends a build."""


@pytest.fixture
def request_(tmp_path: Path, tiny_bundle_dir: Path, draw_jpeg: Callable[..., bytes]) -> BuildRequest:
    gallery = tmp_path / "photos"
    gallery.mkdir()
    for number in range(COUNT):
        (gallery / f"{number:02d}.jpg").write_bytes(draw_jpeg(number))
    (gallery / "05.jpg").write_bytes(b"no photo")
    (gallery / "21.jpg").write_bytes((gallery / "00.jpg").read_bytes())
    return BuildRequest(
        gallery, tmp_path / "index", bundle=tiny_bundle_dir, partition_photos=PARTITION, workers=1, batch=1
    )


def interrupt(request: BuildRequest, at: int, stage: Stage = "photos") -> None:
    def progress(now: Stage, done: int, total: int | None) -> None:
        if (now, done) == (stage, at):
            raise Interrupted

    with pytest.raises(Interrupted):
        build_index(request, progress)


def partitions(request: BuildRequest) -> list[Path]:
    folder = layout.partitions_dir(request.out)
    return sorted(folder.iterdir()) if folder.is_dir() else []


def assert_as_uninterrupted(request: BuildRequest, result: BuildResult) -> None:
    out = request.out.with_name("uninterrupted")
    whole = build_index(replace(request, out=out, resume=False))
    one, other = GalleryIndex.load(request.out), GalleryIndex.load(out)
    rows = list(range(COUNT - 1))
    assert one.version == result.version
    assert one.photos(rows) == other.photos(rows)
    assert one.vectors_of(np.array(rows)).tobytes() == other.vectors_of(np.array(rows)).tobytes()
    assert result.manifest.segments == whole.manifest.segments
    assert (result.manifest.build.skipped, result.manifest.build.noted) == (
        whole.manifest.build.skipped,
        whole.manifest.build.noted,
    )
    reports = [layout.version_dir(path, layout.current_version(path)) / layout.REPORT for path in (request.out, out)]
    assert reports[0].read_bytes() == reports[1].read_bytes()
    one.close()
    other.close()
    assert partitions(request) == []


@pytest.mark.parametrize(("at", "left"), [(1, COUNT - 1), (10, COUNT - 1 - 7), (COUNT - 1, 2)])
def test_a_resumed_build_redoes_at_most_one_partition(request_: BuildRequest, at: int, left: int) -> None:
    interrupt(request_, at)
    result = build_index(replace(request_, resume=True))
    # 05 of the second partition is no photo.
    assert result.manifest.build.embedded == left
    assert_as_uninterrupted(request_, result)


@pytest.mark.parametrize("stage", ["merge", "index", "recall", "publish"])
def test_after_the_photos_nothing_is_embedded_again(request_: BuildRequest, stage: Stage) -> None:
    interrupt(request_, 0, stage)
    result = build_index(replace(request_, resume=True))
    assert (result.manifest.build.embedded, result.manifest.build.reused) == (0, COUNT - 1)
    assert_as_uninterrupted(request_, result)


def test_without_resume_a_build_begins_anew(request_: BuildRequest) -> None:
    interrupt(request_, 10)
    assert len(partitions(request_)) == 2
    result = build_index(request_)
    assert result.manifest.build.embedded == COUNT - 1
    assert_as_uninterrupted(request_, result)


def test_a_photo_that_changed_meanwhile_is_read_again_with_its_partition(
    request_: BuildRequest, draw_jpeg: Callable[..., bytes]
) -> None:
    interrupt(request_, 18)
    assert len(partitions(request_)) == 4
    path = Path(request_.photos) / "01.jpg"
    path.write_bytes(draw_jpeg(77))
    os.utime(path, ns=(0, 10**18))
    result = build_index(replace(request_, resume=True))
    assert result.manifest.build.embedded == PARTITION + COUNT - 16
    assert_as_uninterrupted(request_, result)


@pytest.mark.parametrize("name", [layout.VECTORS, layout.PHOTOS, layout.REPORT, "partition.json"])
def test_a_damaged_partition_is_done_again(request_: BuildRequest, name: str) -> None:
    interrupt(request_, 18)
    for damaged in partitions(request_):
        data = (damaged / name).read_bytes()
        (damaged / name).write_bytes(data[:-1] + b"!" if data else b"!")
    result = build_index(replace(request_, resume=True))
    assert result.manifest.build.embedded == COUNT - 1
    assert_as_uninterrupted(request_, result)


def test_another_bundle_or_limit_takes_nothing_over(request_: BuildRequest) -> None:
    interrupt(request_, 18)
    result = build_index(replace(request_, resume=True, decode_bytes=request_.decode_bytes + 1))
    assert result.manifest.build.embedded == COUNT - 1


def test_an_interrupted_update_resumes_as_well(request_: BuildRequest, draw_jpeg: Callable[..., bytes]) -> None:
    build_index(request_)
    for number in range(10):
        (Path(request_.photos) / f"new-{number}.jpg").write_bytes(draw_jpeg(200 + number))

    def progress(stage: Stage, done: int, total: int | None) -> None:
        if (stage, done) == ("photos", 9):
            raise Interrupted

    with pytest.raises(Interrupted):
        update_index(request_, progress)
    # 05.jpg, which is no photo, is tried again in the first partition.
    assert len(partitions(request_)) == 2
    result = update_index(replace(request_, resume=True))
    assert result.manifest.build.embedded == 3
    assert result.manifest.count == COUNT - 1 + 10
    assert partitions(request_) == []
