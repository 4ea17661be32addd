"""An opened original reads as its bytes do, and outlives what happens to its name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.originals.opened import OpenedOriginal
from service.originals.position import file_without_position


@given(st.integers(0, 600_000), st.data())
def test_slices_and_finds_are_those_of_bytes(size: int, data: st.DataObject) -> None:
    content = bytes(n * n % 251 for n in range(997)) * (size // 997 + 1)
    content = content[:size]
    path = Path(f"/tmp/inkseek-opened-{os.getpid()}")
    path.write_bytes(content)
    original = OpenedOriginal(path)
    try:
        assert len(original) == size
        for _ in range(6):
            start, end = data.draw(st.integers(0, size + 9)), data.draw(st.integers(0, size + 9))
            assert original[start:end] == content[start:end]
            needle = data.draw(st.sampled_from([b"\xff\xe1", content[-3:] or b"a", content[7:9] or b"b", bytes(5)]))
            assert original.find(needle, start) == content.find(needle, start)
            assert original.find(needle, start, end) == content.find(needle, start, end)
    finally:
        original.close()
        path.unlink()


def test_a_file_that_shrinks_while_it_is_searched_ends_nothing(tmp_path: Path) -> None:
    """A memory map of it would end the process with SIGBUS."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe1\x00\x20Exif" + bytes(2_000_000))
    original = OpenedOriginal(path)
    os.truncate(path, 5)
    assert file_without_position(original) is None
    assert original.find(b"Exif", 4) in (-1, 6)  # read before, or gone
    original.close()


def test_what_takes_the_name_is_another_file(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"first")
    original = OpenedOriginal(path)
    (tmp_path / "second").write_bytes(b"another one")
    (tmp_path / "second").replace(path)
    assert (original[:], Path(original.path).read_bytes(), len(original)) == (b"first", b"first", 5)
    original.close()


def test_what_cannot_be_read_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        OpenedOriginal(tmp_path / "gone")
    with pytest.raises(IsADirectoryError):
        OpenedOriginal(tmp_path)
    with pytest.raises(OSError, match="Invalid argument"):
        OpenedOriginal(Path("/proc/self/clear_refs"))  # a regular file that opens, and whose first byte is an error
