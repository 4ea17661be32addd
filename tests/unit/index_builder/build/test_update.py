"""An update publishes what a build of the same photos would, at the cost of what changed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from index_builder.artifact import BundleMismatch, GalleryIndex, IndexNotFound, layout
from index_builder.artifact.manifest import SegmentEntry, manifest_digest
from index_builder.build import BuildRequest, build_index, compact_index, update_index
from index_builder.errors import GalleryEmpty
from index_builder.publish import rollback
from index_builder.segments.compact import MAX_DELETED_SHARE, MAX_SEGMENTS
from tests.unit.index_builder.build.settled import settle

DrawJpeg = Callable[..., bytes]


@pytest.fixture
def request_(photos: Path, tmp_path: Path, tiny_bundle_dir: Path) -> BuildRequest:
    return BuildRequest(photos, tmp_path / "index", bundle=tiny_bundle_dir)


def assert_same_gallery(one: GalleryIndex, other: GalleryIndex) -> None:
    assert one.problems() == other.problems() == []
    rows = list(range(one.count))
    assert one.photos(rows) == other.photos(list(range(other.count)))
    every = np.arange(one.count)
    # Another batch may round otherwise.
    np.testing.assert_allclose(one.vectors_of(every), other.vectors_of(every), atol=1e-6)
    for record in one.photos(rows):
        assert one.thumbnail(record.photo_id) == other.thumbnail(record.photo_id)


def assert_as_built(request: BuildRequest, index: GalleryIndex) -> None:
    anew = build_index(replace(request, out=request.out.with_name(f"anew-{index.version}")))
    fresh = GalleryIndex.load(request.out.with_name(f"anew-{index.version}"), version=anew.version)
    assert_same_gallery(index, fresh)
    fresh.close()


def apply(change: str, which: int, gallery: Path, fresh: int, draw_jpeg: DrawJpeg) -> None:
    """One change of the gallery; `fresh`: a number that no other change has."""
    paths = sorted(gallery.rglob("*.jpg"))
    path = paths[which % len(paths)]
    changes: dict[str, Callable[[], object]] = {
        "add": lambda: (gallery / "c0" / f"{fresh}.jpg").write_bytes(draw_jpeg(fresh)),
        "delete": lambda: path.unlink() if len(paths) > 1 else None,
        "change": lambda: path.write_bytes(draw_jpeg(fresh)),
        "rename": lambda: path.rename(path.with_name(f"{fresh}.jpg")),
        "move": lambda: path.rename(gallery / "c1" / f"{fresh}.jpg"),
        "copy": lambda: shutil.copy(path, path.with_name(f"{fresh}.jpg")),
        "touch": lambda: os.utime(path, ns=(0, fresh * 10**9)),
    }
    changes[change]()


CHANGES = st.tuples(st.sampled_from(["add", "delete", "change", "rename", "move", "copy", "touch"]), st.integers(0, 99))


@settings(max_examples=12, deadline=None)
@given(rounds=st.lists(st.lists(CHANGES, max_size=4), min_size=1, max_size=4))
def test_an_update_equals_a_build(
    tmp_path_factory: pytest.TempPathFactory,
    tiny_bundle_dir: Path,
    draw_jpeg: DrawJpeg,
    rounds: list[list[tuple[str, int]]],
) -> None:
    root = tmp_path_factory.mktemp("update")
    gallery = root / "photos"
    for seed in range(5):
        (gallery / f"c{seed % 2}").mkdir(parents=True, exist_ok=True)
        (gallery / f"c{seed % 2}" / f"{seed}.jpg").write_bytes(draw_jpeg(seed))
    request = BuildRequest(gallery, root / "index", bundle=tiny_bundle_dir, keep=9)
    build_index(request)
    fresh = 100
    for changes in rounds:
        settle(gallery)
        known = {path.read_bytes() for path in gallery.rglob("*.jpg")}
        for change, which in changes:
            fresh += 1
            apply(change, which, gallery, fresh, draw_jpeg)
        result = update_index(request)
        index = GalleryIndex.load(request.out)
        assert index.version == result.version
        assert_as_built(request, index)
        if not result.unchanged:
            new = [path for path in gallery.rglob("*.jpg") if path.read_bytes() not in known]
            assert (result.manifest.build.embedded, result.manifest.build.reused) == (len(new), index.count - len(new))
        index.close()


def test_nothing_to_change_publishes_nothing(request_: BuildRequest) -> None:
    settle(Path(request_.photos))
    built = build_index(request_)
    result = update_index(request_)
    assert (result.unchanged, result.version, layout.list_versions(request_.out)) == (
        True,
        built.version,
        [built.version],
    )
    assert sorted(path.name for path in request_.out.iterdir()) == [".lock", "current", "segments", "versions"]


def test_what_a_killed_build_left_behind_its_swap_goes_with_the_next_update(request_: BuildRequest) -> None:
    settle(Path(request_.photos))
    build_index(request_)
    (layout.segments_dir(request_.out) / ("0" * 16)).mkdir()
    named = {entry.name for entry in manifest_of(request_, layout.current_version(request_.out))}
    assert update_index(request_).unchanged
    assert {path.name for path in layout.segments_dir(request_.out).iterdir()} == named


def test_a_broken_photo_is_tried_again_and_changes_nothing(request_: BuildRequest) -> None:
    (Path(request_.photos) / "shoe" / "broken.jpg").write_bytes(b"no photo")
    build_index(request_)
    assert update_index(request_).unchanged


def test_an_update_after_a_rollback_starts_from_what_is_published(request_: BuildRequest, draw_jpeg: DrawJpeg) -> None:
    first = build_index(request_).version
    gallery = Path(request_.photos)
    (gallery / "shoe" / "new.jpg").write_bytes(draw_jpeg(50))
    second = update_index(request_)
    (gallery / "shoe" / "0.jpg").unlink()
    third = update_index(request_)
    assert [entry.count for entry in third.manifest.segments] == [6, 1]
    assert rollback(request_.out) == (third.version, second.version)
    assert rollback(request_.out) == (second.version, first)
    index = GalleryIndex.load(request_.out)
    assert (index.count, index.problems()) == (6, [])
    index.close()
    fourth = update_index(request_)
    assert fourth.manifest.build.embedded == 1
    index = GalleryIndex.load(request_.out)
    assert_as_built(request_, index)
    index.close()
    assert rollback(request_.out, to=third.version)[1] == third.version


def as_schema_2(out: Path) -> None:
    """The published version as a release before segments would have written it."""
    version = layout.current_version(out)
    folder = layout.version_dir(out, version)
    manifest = json.loads((folder / layout.MANIFEST).read_bytes())
    (segment,) = manifest.pop("segments")
    listed = json.loads((layout.segment_dir(folder, segment["name"]) / "segment.json").read_bytes())["files"]
    for name in listed:
        (layout.segment_dir(folder, segment["name"]) / name).rename(folder / name)
    shutil.rmtree(layout.segments_dir(out))
    (folder / layout.STAMPS).unlink()
    manifest["schema_version"] = 2
    manifest["files"] = listed | {layout.REPORT: manifest["files"][layout.REPORT]}
    data = json.dumps(manifest).encode()
    (folder / layout.MANIFEST).write_bytes(data)
    renamed = layout.version_name(layout.version_sequence(version), manifest_digest(data))
    folder.rename(folder.with_name(renamed))
    layout.publish_pointer(out, renamed)


def test_an_index_of_before_segments_is_updated_without_embedding_anew(
    request_: BuildRequest, draw_jpeg: DrawJpeg
) -> None:
    build_index(request_)
    as_schema_2(request_.out)
    old = GalleryIndex.load(request_.out)
    assert (old.manifest.schema_version, old.problems()) == (2, [])
    old.close()
    (Path(request_.photos) / "shoe" / "new.jpg").write_bytes(draw_jpeg(50))
    summary = update_index(request_).manifest.build
    assert (summary.embedded, summary.reused) == (1, 6)
    index = GalleryIndex.load(request_.out)
    assert_as_built(request_, index)
    index.close()
    assert rollback(request_.out)[1] == old.version


def test_other_metadata_is_taken_over_without_embedding_anew(request_: BuildRequest) -> None:
    gallery = Path(request_.photos)
    names = sorted(path.relative_to(gallery).as_posix() for path in gallery.rglob("*.jpg"))
    table = gallery / "manifest.csv"
    request = replace(request_, photos=table)
    table.write_text("\n".join(["photo_path,price", *(f"{name},{n}" for n, name in enumerate(names))]) + "\n")
    build_index(request)
    for header, cell in (("photo_path,price", "7"), ("photo_path,colour", "red"), ("photo_path,colour,price", "red,3")):
        table.write_text("\n".join([header, *(f"{name},{cell}" for name in names)]) + "\n")
        assert update_index(request).manifest.build.embedded == 0
        index = GalleryIndex.load(request.out)
        assert_as_built(request, index)
        index.close()
    # One cell: one row is written again.
    table.write_text(table.read_text().replace("red", "blue", 1))
    assert update_index(request).manifest.segments[-1].count == 1


def test_what_cannot_be_updated_stays(request_: BuildRequest, tmp_path: Path) -> None:
    with pytest.raises(IndexNotFound):
        update_index(request_)
    published = build_index(request_).version
    with pytest.raises(BundleMismatch):
        update_index(replace(request_, bundle="small"))
    for path in Path(request_.photos).rglob("*.jpg"):
        path.unlink()
    with pytest.raises(GalleryEmpty):
        update_index(request_)
    assert layout.current_version(request_.out) == published


def test_updates_keep_the_bounds_on_segments_and_deleted_rows(request_: BuildRequest, draw_jpeg: DrawJpeg) -> None:
    gallery = Path(request_.photos)
    build_index(request_)
    most = 0
    for number in range(14):
        (gallery / "shoe" / f"more-{number}.jpg").write_bytes(draw_jpeg(100 + number))
        if number % 3 == 2:
            sorted(gallery.rglob("more-*.jpg"))[0].unlink()
        segments = update_index(replace(request_, keep=1)).manifest.segments
        most = max(most, len(segments))
        assert len(segments) <= MAX_SEGMENTS
        assert all(entry.count - entry.live <= MAX_DELETED_SHARE * entry.count for entry in segments)
    assert most > 3
    index = GalleryIndex.load(request_.out)
    assert_as_built(request_, index)
    index.close()
    # Old versions and their segments are gone but for those of the version that services may still read.
    kept = {entry.name for version in layout.list_versions(request_.out) for entry in manifest_of(request_, version)}
    assert {path.name for path in layout.segments_dir(request_.out).iterdir()} == kept


def manifest_of(request: BuildRequest, version: str) -> tuple[SegmentEntry, ...]:
    index = GalleryIndex.load(request.out, version=version)
    index.close()
    return index.manifest.segments


def test_compaction_leaves_one_segment_and_needs_no_photo(request_: BuildRequest, draw_jpeg: DrawJpeg) -> None:
    request = replace(request_, exclude=("*.tmp.jpg",))
    build_index(request)
    assert compact_index(request).unchanged
    (Path(request.photos) / "shoe" / "new.jpg").write_bytes(draw_jpeg(50))
    (Path(request.photos) / "shoe" / "0.jpg").unlink()
    update_index(request)
    before = GalleryIndex.load(request.out)
    Path(request.photos).rename(Path(request.photos).with_name("away"))
    result = compact_index(replace(request, exclude=()))
    after = GalleryIndex.load(request.out)
    assert [(entry.count, entry.live) for entry in result.manifest.segments] == [(6, 6)]
    assert result.manifest.gallery == before.manifest.gallery
    assert_same_gallery(before, after)
    before.close()
    after.close()
    # The stamps are those of before: an update reads nothing.
    Path(request.photos).with_name("away").rename(request.photos)
    assert update_index(request).unchanged


def test_an_approximate_index_is_updated_and_its_recall_measured(request_: BuildRequest, draw_jpeg: DrawJpeg) -> None:
    gallery = Path(request_.photos)
    for number in range(40):
        (gallery / "chair" / f"{number:02d}.jpg").write_bytes(draw_jpeg(number, (60, 50)))
    build_index(replace(request_, kind="hnsw"))
    (gallery / "shoe" / "new.jpg").write_bytes(draw_jpeg(99))
    (gallery / "chair" / "00.jpg").unlink()
    manifest = update_index(request_).manifest
    assert [entry.search.kind for entry in manifest.segments] == ["hnsw", "flat"]
    assert (manifest.is_exact, manifest.search.kind) == (False, "hnsw")
    assert manifest.recall is not None and manifest.recall.recall > 0.9
    index = GalleryIndex.load(request_.out)
    assert_as_built(request_, index)
    (query,) = index.vectors_of(np.array([index.photo("shoe/new.jpg").row]))
    assert index.photos([index.search(query[None], 1)[0][0].row])[0].photo_id == "shoe/new.jpg"
    index.close()


def test_photos_that_look_the_same_are_noted_once(request_: BuildRequest) -> None:
    gallery = Path(request_.photos)
    with Image.open(gallery / "shoe" / "1.jpg") as picture:
        picture.save(gallery / "shoe" / "1-again.jpg", quality=70)
    assert build_index(request_).manifest.build.noted == {"near_duplicate": 1}
    with Image.open(gallery / "chair" / "5.jpg") as picture:
        picture.save(gallery / "shoe" / "other-folder.jpg", quality=95)
    result = update_index(request_)
    (line,) = (layout.version_dir(request_.out, result.version) / layout.REPORT).read_text().splitlines()
    note = json.loads(line)
    assert (note["reason"], note["photo_id"]) == ("near_duplicate", "shoe/other-folder.jpg")
    assert "looks like chair/5.jpg" in note["detail"]
