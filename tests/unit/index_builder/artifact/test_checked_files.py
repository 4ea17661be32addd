"""Hashes that are compared once, sizes that are compared always, and a check that can be stopped."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from index_builder.artifact import CheckedFiles, GalleryIndex, IndexCorrupt, layout
from index_builder.artifact.segments.checked_files import CheckStopped
from index_builder.build import BuildRequest, build_index, update_index


@pytest.fixture
def out(photos: Path, tmp_path: Path, tiny_bundle_dir: Path) -> Path:
    build_index(BuildRequest(photos, tmp_path / "index", bundle=tiny_bundle_dir))
    return tmp_path / "index"


def vectors_in(out: Path) -> Path:
    return next(layout.segments_dir(out).glob(f"*/{layout.VECTORS}"))


def flip_a_bit(path: Path) -> None:
    """Change the content, and nothing that says when it changed but the time of the inode."""
    times = path.stat()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_a_file_is_read_once_and_again_after_a_change(tmp_path: Path) -> None:
    path, checked = tmp_path / "file", CheckedFiles()
    path.write_bytes(b"first")
    first = checked.entry_of(path)
    assert first == layout.hash_file(path)
    path.chmod(0)  # what was hashed needs no second look at its content
    path.chmod(0o600)
    assert checked.entry_of(path) == first
    path.write_bytes(b"other")
    assert checked.entry_of(path) == layout.hash_file(path) != first
    with pytest.raises(IndexCorrupt, match="readable file"):
        checked.entry_of(tmp_path / "missing")


def test_a_new_version_costs_the_hashes_of_what_is_new(
    out: Path, photos: Path, tiny_bundle_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked, read = CheckedFiles(), []
    original = layout.hash_file

    def counted(path: Path, *args: object) -> object:
        read.append(path.name)
        return original(path)

    monkeypatch.setattr(layout, "hash_file", counted)
    GalleryIndex.load(out, checked=checked).close()
    assert sorted(read) == sorted([layout.VECTORS, layout.PHOTOS, layout.REPORT, layout.STAMPS])
    read.clear()
    GalleryIndex.load(out, checked=checked).close()
    assert read == []
    (photos / "shoe" / "new.jpg").write_bytes((photos / "shoe" / "0.jpg").read_bytes() + b" ")
    update_index(BuildRequest(photos, out, bundle=tiny_bundle_dir))
    read.clear()
    index = GalleryIndex.load(out, checked=checked)
    assert len(index.manifest.segments) == 2
    # Those of the new segment and of the version's own folder, and none of the first segment.
    assert sorted(read) == sorted([layout.VECTORS, layout.PHOTOS, layout.REPORT, layout.STAMPS, layout.ROWS])
    index.close()


def test_damage_of_the_same_size_is_found_when_hashes_are_compared(out: Path) -> None:
    checked = CheckedFiles()
    index = GalleryIndex.load(out, check_files=False)
    index.compare_hashes(checked)
    flip_a_bit(vectors_in(out))
    with pytest.raises(IndexCorrupt, match=r"sha256 of vectors\.npy"):
        index.compare_hashes(checked)
    index.close()
    GalleryIndex.load(out, check_files=False).close()  # sizes are as they were


def test_a_file_that_was_cut_short_is_found_without_reading_it(out: Path) -> None:
    path = vectors_in(out)
    os.truncate(path, path.stat().st_size - 4)
    with pytest.raises(IndexCorrupt, match=r"size of vectors\.npy"):
        GalleryIndex.load(out, check_files=False)
    path.unlink()
    with pytest.raises(IndexCorrupt, match="readable file"):
        GalleryIndex.load(out, check_files=False)


def test_a_stopped_check_gives_a_large_file_up(tmp_path: Path) -> None:
    checked, path = CheckedFiles(), tmp_path / "file"
    np.zeros(2 << 20, np.uint8).tofile(path)
    checked.stop()
    with pytest.raises(CheckStopped):
        checked.entry_of(path)
