"""An index brought up to date: built once, updated after, and built anew for another bundle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from index_builder.artifact import GalleryIndex, layout
from index_builder.cli.up_to_date import bring_up_to_date
from models.bundle import read_manifest


def photo_ids(out: Path) -> list[str]:
    index = GalleryIndex.load(out)
    found = [record.photo_id for record in index.records()]
    index.close()
    return found


def test_it_builds_once_and_then_embeds_what_has_changed(
    photos: Path,
    tmp_path: Path,
    tiny_bundle_dir: Path,
    draw_jpeg: Callable[..., bytes],
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "index"
    bring_up_to_date(photos, out, tiny_bundle_dir)
    assert "indexing" in capsys.readouterr().err
    (first,) = layout.list_versions(out)
    bring_up_to_date(photos, out, tiny_bundle_dir)
    assert (layout.list_versions(out), capsys.readouterr().err) == ([first], "")
    # More than an update may delete where nobody asked for it: another release of a gallery has other photos.
    for number in range(4):
        (photos / "shoe" / f"{number}.jpg").unlink()
    (photos / "chair" / "9.jpg").write_bytes(draw_jpeg(9))
    bring_up_to_date(photos, out, tiny_bundle_dir)
    assert photo_ids(out) == ["chair/4.jpg", "chair/5.jpg", "chair/9.jpg"]


def test_another_bundle_has_its_own_version_and_so_has_the_first_one_after_it(
    photos: Path, tmp_path: Path, tiny_bundle_dir: Path, parted_bundle_dir: Path
) -> None:
    out = tmp_path / "index"
    for bundle in (tiny_bundle_dir, parted_bundle_dir, tiny_bundle_dir):
        bring_up_to_date(photos, out, bundle)
        index = GalleryIndex.load(out, bundle_id=read_manifest(bundle).bundle_id)
        assert (index.version, index.count) == (layout.current_version(out), 6)
        index.close()


def test_what_is_damaged_is_built_anew(photos: Path, tmp_path: Path, tiny_bundle_dir: Path) -> None:
    out = tmp_path / "index"
    bring_up_to_date(photos, out, tiny_bundle_dir)
    (out / "current").write_text("no version\n")
    bring_up_to_date(photos, out, tiny_bundle_dir)
    assert len(photo_ids(out)) == 6
