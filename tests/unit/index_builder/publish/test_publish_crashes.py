"""Every state that a crash can leave behind, and readers that load while versions come and go."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from index_builder.artifact import GalleryIndex, IndexNotFound, layout
from index_builder.artifact.staging import clear_staging, locked, new_segment, new_staging
from index_builder.build import BuildRequest, build_index
from index_builder.errors import BuildLocked
from index_builder.publish import publish, published_version, rollback
from index_builder.retention import prune


@pytest.fixture
def request_(photos: Path, tmp_path: Path, tiny_bundle_dir: Path) -> BuildRequest:
    return BuildRequest(photos, tmp_path / "index", bundle=tiny_bundle_dir, keep=1)


def staged_copy(out: Path, version: str) -> Path:
    """A build that is complete but for its name: the files of `version` in a staging folder."""
    staging = new_staging(out)
    shutil.copytree(layout.version_dir(out, version), staging, dirs_exist_ok=True)
    return staging


def killed_while_staging(out: Path, version: str) -> None:
    staging = staged_copy(out, version)
    (staging / layout.MANIFEST).unlink()
    (new_segment(out) / layout.VECTORS).write_bytes(b"half")


def killed_before_the_rename(out: Path, version: str) -> None:
    staged_copy(out, version)


def killed_before_the_swap(out: Path, version: str) -> None:
    sequence = layout.version_sequence(version) + 1
    name = layout.version_name(sequence, layout.version_digest(version))
    staged_copy(out, version).rename(layout.versions_dir(out) / name)


def killed_within_the_swap(out: Path, version: str) -> None:
    killed_before_the_swap(out, version)
    (out / ".current.partial").write_text("0000")


def killed_while_pruning(out: Path, version: str) -> None:
    leftover = layout.versions_dir(out) / f".discarded-{layout.version_name(1, '0' * 12)}"
    leftover.mkdir()
    (leftover / layout.PHOTOS).write_bytes(b"half")


def killed_after_sealing_a_segment(out: Path, version: str) -> None:
    (segment,) = layout.segments_dir(out).iterdir()
    shutil.copytree(segment, segment.with_name("0123456789abcdef"))


def killed_while_collecting(out: Path, version: str) -> None:
    killed_after_sealing_a_segment(out, version)
    orphan = layout.segments_dir(out) / "0123456789abcdef"
    orphan.rename(orphan.with_name(f".discarded-{orphan.name}"))


@pytest.mark.parametrize(
    "crash",
    [
        killed_while_staging,
        killed_after_sealing_a_segment,
        killed_while_collecting,
        killed_before_the_rename,
        killed_before_the_swap,
        killed_within_the_swap,
        killed_while_pruning,
    ],
)
def test_a_crash_leaves_the_published_version_and_the_next_build_cleans_up(
    request_: BuildRequest, crash: Callable[[Path, str], None]
) -> None:
    out = request_.out
    published = build_index(request_).version
    crash(out, published)
    index = GalleryIndex.load(out)
    assert (index.version, index.problems()) == (published, [])
    index.close()
    versions_before = layout.list_versions(out)
    result = build_index(request_)
    assert layout.version_sequence(result.version) == max(map(layout.version_sequence, versions_before)) + 1
    assert layout.list_versions(out) == [published, result.version]  # the old one stays while services read it
    assert sorted(path.name for path in layout.versions_dir(out).iterdir()) == layout.list_versions(out)
    assert sorted(path.name for path in out.iterdir()) == [".lock", "current", "current_of", "segments", "versions"]
    # The same photos make the same segment, which both versions name.
    (segment,) = result.manifest.segments
    assert [path.name for path in layout.segments_dir(out).iterdir()] == [segment.name]


def test_a_version_that_was_renamed_but_not_published_can_be_rolled_forward_to(request_: BuildRequest) -> None:
    published = build_index(request_).version
    killed_before_the_swap(request_.out, published)
    unpublished = layout.list_versions(request_.out)[-1]
    assert rollback(request_.out, to=unpublished) == (published, unpublished)
    assert GalleryIndex.load(request_.out).version == unpublished


def test_publishing_needs_no_more_than_files_and_a_manifest(request_: BuildRequest) -> None:
    result = build_index(request_)
    with locked(request_.out):
        version = publish(request_.out, staged_copy(request_.out, result.version), result.manifest)
    assert published_version(request_.out) == version
    assert layout.version_digest(version) == layout.version_digest(result.version)
    index = GalleryIndex.load(request_.out)
    assert index.problems() == []
    index.close()


@pytest.mark.parametrize(
    ("keep", "in_use", "left"),
    [(1, None, [2, 5]), (1, 3, [2, 3, 5]), (2, None, [2, 4, 5]), (2, 1, [1, 2, 4, 5]), (9, None, [1, 2, 3, 4, 5])],
)
def test_pruning_keeps_the_latest_the_published_and_the_one_in_use(
    tmp_path: Path, keep: int, in_use: int | None, left: list[int]
) -> None:
    names = {number: layout.version_name(number, f"{number:012x}") for number in range(1, 6)}
    for name in names.values():
        (layout.versions_dir(tmp_path) / name).mkdir(parents=True)
    layout.publish_pointer(tmp_path, names[2])
    removed = prune(tmp_path, keep, in_use=None if in_use is None else names[in_use])
    assert layout.list_versions(tmp_path) == [names[number] for number in left]
    assert removed == [name for number, name in names.items() if number not in left]


def test_a_damaged_pointer_protects_nothing_but_the_latest(tmp_path: Path) -> None:
    names = [layout.version_name(number, f"{number:012x}") for number in range(1, 4)]
    for name in names:
        (layout.versions_dir(tmp_path) / name).mkdir(parents=True)
    (tmp_path / "current").write_text("garbage")
    assert published_version(tmp_path) is None
    assert prune(tmp_path, 1, in_use=None) == names[:-1]


def test_readers_load_a_complete_version_while_builds_publish_and_prune(request_: BuildRequest) -> None:
    build_index(request_)
    loads: list[str] = []
    errors: list[BaseException] = []
    stop, loaded = threading.Event(), threading.Condition()

    def read() -> None:
        try:
            while not stop.is_set():
                index = GalleryIndex.load(request_.out)
                assert index.count == 6
                index.close()
                with loaded:
                    loads.append(index.version)
                    loaded.notify_all()
        except BaseException as error:
            errors.append(error)
            with loaded:
                loaded.notify_all()

    reader = threading.Thread(target=read)
    reader.start()
    published = []
    for _ in range(3):
        published.append(build_index(request_).version)
        # A version stays for one further build, so a reader that takes longer than a build is not promised anything.
        with loaded:
            assert loaded.wait_for(lambda: errors or published[-1] in loads, timeout=60)
    stop.set()
    reader.join()
    assert errors == []
    assert set(published) <= set(loads)


def test_a_lock_names_its_holder_and_ends_with_it(tmp_path: Path) -> None:
    out = tmp_path / "index"
    with locked(out), pytest.raises(BuildLocked, match="pid"), locked(out):
        pass
    with pytest.raises(KeyboardInterrupt), locked(out):
        raise KeyboardInterrupt
    with locked(out):
        assert layout.versions_dir(out).is_dir()


def test_a_staging_folder_is_invisible_and_can_be_discarded(tmp_path: Path) -> None:
    with locked(tmp_path):
        staging = new_staging(tmp_path)
        assert layout.list_versions(tmp_path) == []
        (staging / "file").write_bytes(b"x")
        clear_staging(tmp_path)
        clear_staging(tmp_path)  # once more does no harm
    assert list(layout.versions_dir(tmp_path).iterdir()) == []


def test_there_is_nothing_to_roll_back_without_an_index(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFound, match="no index"):
        rollback(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
    layout.versions_dir(tmp_path).mkdir()
    with pytest.raises(IndexNotFound, match="inkseek index build"):
        rollback(tmp_path)
