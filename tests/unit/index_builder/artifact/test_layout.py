"""Names of versions, the pointer, and hashes of files."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index_builder.artifact import IndexCorrupt, IndexNotFound, layout


@given(sequence=st.integers(1, 10**9), digest=st.text("0123456789abcdef", min_size=12, max_size=12))
def test_a_name_says_its_sequence_and_digest(sequence: int, digest: str) -> None:
    name = layout.version_name(sequence, digest)
    assert (layout.version_sequence(name), layout.version_digest(name)) == (sequence, digest)


@pytest.mark.parametrize("name", ["", "1-0123456789ab", "000001-0123456789AB", "000001-0123", "000001", "../000001"])
def test_what_is_no_name_of_a_version(tmp_path: Path, name: str) -> None:
    assert layout.version_digest(name) == ""
    with pytest.raises(IndexNotFound):
        layout.version_sequence(name)
    (tmp_path / "versions" / "x").mkdir(parents=True)
    with pytest.raises(IndexNotFound, match="none"):
        layout.version_dir(tmp_path, name)


def test_versions_are_listed_by_age_and_nothing_else_is(tmp_path: Path) -> None:
    assert layout.list_versions(tmp_path) == []
    names = [layout.version_name(number, "0" * 12) for number in (999_999, 2, 1_000_000, 10)]
    for name in [*names, ".building-0123", ".discarded-" + names[0], "notes", "000003"]:
        (tmp_path / "versions" / name).mkdir(parents=True)
    (tmp_path / "versions" / layout.version_name(7, "a" * 12)).write_text("a file of that name")
    assert [layout.version_sequence(name) for name in layout.list_versions(tmp_path)] == [2, 10, 999_999, 1_000_000]


def test_a_missing_version_is_named_with_those_there_are(tmp_path: Path) -> None:
    there, missing = layout.version_name(1, "0" * 12), layout.version_name(2, "0" * 12)
    (tmp_path / "versions" / there).mkdir(parents=True)
    assert layout.version_dir(tmp_path, there).name == there
    with pytest.raises(IndexNotFound, match=there):
        layout.version_dir(tmp_path, missing)


def test_a_reader_sees_the_old_pointer_or_the_new_one(tmp_path: Path) -> None:
    names = [layout.version_name(number, f"{number:012x}") for number in range(1, 21)]
    layout.publish_pointer(tmp_path, names[0])
    seen: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.append(layout.current_version(tmp_path))

    reader = threading.Thread(target=read)
    reader.start()
    for name in names:
        layout.publish_pointer(tmp_path, name)
    done.set()
    reader.join()
    positions = [names.index(name) for name in seen]
    assert positions == sorted(positions)
    assert [path.name for path in tmp_path.iterdir()] == ["current"]


def test_a_pointer_that_a_crash_left_half_written_is_ignored(tmp_path: Path) -> None:
    name = layout.version_name(1, "0" * 12)
    layout.publish_pointer(tmp_path, name)
    (tmp_path / ".current.partial").write_bytes(b"00000")
    assert layout.current_version(tmp_path) == name
    layout.publish_pointer(tmp_path, layout.version_name(2, "0" * 12))
    assert not (tmp_path / ".current.partial").exists()


def test_a_pointer_that_cannot_be_read_is_corrupt(tmp_path: Path) -> None:
    (tmp_path / "current").mkdir()
    with pytest.raises(IndexCorrupt, match="current"):
        layout.current_version(tmp_path)


@pytest.mark.parametrize("size", [0, 1, 2**20 - 1, 2**20, 2**20 + 1, 3 * 2**20])
def test_hashes_are_those_of_the_whole_file(tmp_path: Path, size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    (tmp_path / "file").write_bytes(data[:size])
    entry = layout.hash_file(tmp_path / "file")
    assert (entry.bytes, entry.sha256) == (size, hashlib.sha256(data[:size]).hexdigest())


def test_a_file_that_cannot_be_hashed_is_corrupt(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(IndexCorrupt) as caught:
            layout.hash_file(path)
        assert caught.value.what == path.name
