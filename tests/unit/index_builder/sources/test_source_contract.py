"""One contract for every photo source: each test runs over each source of the same six photos."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pyarrow
import pyarrow.parquet
import pytest

from index_builder.report import Skipped
from index_builder.sources.base import PhotoSource, SourcePhoto
from index_builder.sources.choice import open_source
from tests.unit.index_builder.files.s3_server import Bucket

OpenSource: TypeAlias = Callable[[], PhotoSource]


@dataclass(frozen=True)
class Case:
    """A source of the six photos. `remove`: takes a photo away by its path."""

    open: Callable[[], PhotoSource]
    remove: Callable[[str], None]
    root: str
    manifest: str | None = None


def names_in(photos: Path) -> list[str]:
    return sorted(path.relative_to(photos).as_posix() for path in photos.rglob("*.jpg"))


def manifest_of(kind: str, photos: Path) -> Path:
    names, location = names_in(photos), photos / f"manifest.{kind}"
    if kind == "csv":
        location.write_text("\n".join(["photo_path", *names]) + "\n")
    elif kind == "jsonl":
        location.write_text("".join(json.dumps({"photo_path": name}) + "\n" for name in names))
    else:
        pyarrow.parquet.write_table(pyarrow.table({"photo_path": names}), location)
    return location


LOCAL = ["folder", "csv", "parquet", "jsonl"]


@pytest.fixture(params=[*LOCAL, "s3", "s3 jsonl"])
def case(request: pytest.FixtureRequest, photos: Path) -> Case:
    """A further source joins the contract by one case here."""
    kind = request.param.removeprefix("s3").strip()
    manifest = manifest_of(kind, photos) if kind not in ("", "folder") else None
    name = manifest.name if manifest else None
    if not request.param.startswith("s3"):
        return Case(lambda: open_source(manifest or photos), lambda path: (photos / path).unlink(), str(photos), name)
    bucket: Bucket = request.getfixturevalue("s3")
    url = bucket.put_folder(photos, "photos")
    location = f"{url}/{name}" if name else url
    return Case(lambda: open_source(location), lambda path: bucket.delete(f"photos/{path}"), url, name)


@pytest.fixture
def open_photos(case: Case) -> Callable[[], PhotoSource]:
    return case.open


def photos_of(source: PhotoSource) -> list[SourcePhoto]:
    return [listed for listed in source.list() if isinstance(listed, SourcePhoto) and listed.path.endswith(".jpg")]


def test_each_photo_is_listed_once(open_photos: OpenSource, photos: Path) -> None:
    listed = photos_of(open_photos())
    assert sorted(photo.photo_id for photo in listed) == names_in(photos)
    assert all(photo.category == photo.photo_id.split("/")[0] for photo in listed)


def test_a_listing_can_be_repeated_and_left_early(open_photos: OpenSource) -> None:
    source = open_photos()
    next(source.list())
    assert photos_of(source) == photos_of(source)
    assert photos_of(source) == photos_of(open_photos())


def test_opening_gives_the_bytes_of_the_file_as_a_seekable_stream(open_photos: OpenSource, photos: Path) -> None:
    source = open_photos()
    for photo in photos_of(source):
        with source.open(photo) as file:
            assert file.seek(0, os.SEEK_END) == (photos / photo.path).stat().st_size
            file.seek(0)
            assert file.read() == (photos / photo.path).read_bytes()


def test_threads_may_open_photos_at_once(open_photos: OpenSource, photos: Path) -> None:
    source = open_photos()

    def content(photo: SourcePhoto) -> bytes:
        with source.open(photo) as file:
            return file.read()

    listed = photos_of(source) * 20
    with ThreadPoolExecutor(8) as pool:
        for photo, data in zip(listed, pool.map(content, listed), strict=True):
            assert data == (photos / photo.path).read_bytes()


def test_a_photo_that_goes_away_is_a_missing_file(case: Case) -> None:
    source = case.open()
    photo = photos_of(source)[0]
    case.remove(photo.path)
    assert source.stamp(photo) is None
    with pytest.raises(FileNotFoundError), source.open(photo) as file:
        file.read()


def test_stamps_tell_contents_apart(case: Case) -> None:
    source = case.open()
    listed = photos_of(source)
    stamps = [photo.stamp or source.stamp(photo) for photo in listed]
    assert len(set(stamps)) == len(listed)
    assert stamps == [source.stamp(photo) for photo in photos_of(case.open())]


@pytest.mark.parametrize("case", LOCAL, indirect=True)
def test_a_link_out_of_the_gallery_is_skipped(open_photos: OpenSource, photos: Path) -> None:
    (photos / "shoe" / "0.jpg").rename(photos.parent / "outside.jpg")
    (photos / "shoe" / "0.jpg").symlink_to(photos.parent / "outside.jpg")
    (skipped,) = (listed for listed in open_photos().list() if isinstance(listed, Skipped))
    assert (skipped.reason, skipped.path) == ("outside_gallery", "shoe/0.jpg")


def test_every_photo_has_a_value_for_every_field(open_photos: OpenSource) -> None:
    source = open_photos()
    assert {len(photo.metadata) for photo in photos_of(source)} == {len(source.fields)}


def test_the_description_names_where_the_photos_lie(case: Case) -> None:
    description = case.open().description
    assert (description.root, description.manifest) == (case.root, case.manifest)
    again = open_source(description.location)
    assert photos_of(again) == photos_of(case.open())


def test_only_a_source_that_scans_covers_a_path(open_photos: OpenSource, photos: Path) -> None:
    source = open_photos()
    scans = source.description.location == str(photos)
    assert source.covers(photos / "index") is scans
    assert source.covers(photos / "shoe" / ".." / "index") is scans
    assert not source.covers(photos.parent / "index")
    assert not source.covers(photos.parent / "photos-index")
