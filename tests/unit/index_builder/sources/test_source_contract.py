"""One contract for every photo source: each test runs over each source of the same six photos."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

import pyarrow
import pyarrow.parquet
import pytest

from index_builder.report import Skipped
from index_builder.sources.base import PhotoSource, SourcePhoto
from index_builder.sources.choice import open_source

OpenSource: TypeAlias = Callable[[], PhotoSource]


def names_in(photos: Path) -> list[str]:
    return sorted(path.relative_to(photos).as_posix() for path in photos.rglob("*.jpg"))


@pytest.fixture(params=["folder", "csv", "parquet"])
def open_photos(request: pytest.FixtureRequest, photos: Path) -> OpenSource:
    """A further source (an object store, tars) joins the contract by one case here."""
    names = names_in(photos)
    location = photos
    if request.param == "csv":
        location = photos / "manifest.csv"
        location.write_text("\n".join(["photo_path", *names]) + "\n")
    elif request.param == "parquet":
        location = photos / "manifest.parquet"
        pyarrow.parquet.write_table(pyarrow.table({"photo_path": names}), location)
    return lambda: open_source(location)


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


def test_a_photo_that_goes_away_is_a_missing_file(open_photos: OpenSource, photos: Path) -> None:
    source = open_photos()
    photo = photos_of(source)[0]
    (photos / photo.path).unlink()
    with pytest.raises(FileNotFoundError):
        source.open(photo)


def test_a_link_out_of_the_gallery_is_skipped(open_photos: OpenSource, photos: Path) -> None:
    (photos / "shoe" / "0.jpg").rename(photos.parent / "outside.jpg")
    (photos / "shoe" / "0.jpg").symlink_to(photos.parent / "outside.jpg")
    (skipped,) = (listed for listed in open_photos().list() if isinstance(listed, Skipped))
    assert (skipped.reason, skipped.path) == ("outside_gallery", "shoe/0.jpg")


def test_every_photo_has_a_value_for_every_field(open_photos: OpenSource) -> None:
    source = open_photos()
    assert {len(photo.metadata) for photo in photos_of(source)} == {len(source.fields)}


def test_the_description_names_where_the_photos_lie(open_photos: OpenSource, photos: Path) -> None:
    description = open_photos().description
    assert description.root == str(photos)
    assert description.manifest in (None, "manifest.csv", "manifest.parquet")
    if description.manifest:
        assert (photos / description.manifest).is_file()


def test_only_a_source_that_scans_covers_a_path(open_photos: OpenSource, photos: Path) -> None:
    source = open_photos()
    scans = source.description.manifest is None
    assert source.covers(photos / "index") is scans
    assert source.covers(photos / "shoe" / ".." / "index") is scans
    assert not source.covers(photos.parent / "index")
    assert not source.covers(photos.parent / "photos-index")
