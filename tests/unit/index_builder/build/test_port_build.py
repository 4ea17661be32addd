"""The stages of a build over a source that is no file system at all: they know the port alone."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index_builder.artifact import MetadataField, layout
from index_builder.artifact.manifest import GallerySource
from index_builder.artifact.photos.store import PhotoStore
from index_builder.build.listing import listed_photos
from index_builder.embedding.reader import PhotoEmpty, facts_of, read_bytes, skipped
from index_builder.embedding.threads import ThreadedEmbedder
from index_builder.errors import GalleryInvalid
from index_builder.report import Report, Skipped, SkipReason
from index_builder.segments.append import write_photos
from index_builder.sources.base import SourcePhoto
from models.bundle import (
    Bundle,
    ImageError,
    ImageLimits,
    ImageTooLarge,
    ImageUnreadable,
    ImageUnsupported,
    Pace,
    Runtime,
    SketchEmpty,
)


class BucketFile(io.BytesIO):
    """Counts what is read of it, as an object store bills it."""

    def __init__(self, data: bytes, count: Callable[[int], None]) -> None:
        super().__init__(data)
        self._count = count

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self._count(len(data))
        return data


class Bucket:
    """A `PhotoSource` over objects in memory; some names are listed though they are not there."""

    def __init__(self, objects: dict[str, bytes], listing: Sequence[SourcePhoto | Skipped] | None = None) -> None:
        self.objects = objects
        self.bytes_read = 0
        self._lock = threading.Lock()
        self._listing = [SourcePhoto(name, "", name, (name,)) for name in objects] if listing is None else listing

    @property
    def description(self) -> GallerySource:
        return GallerySource(root="s3://bucket")

    @property
    def fields(self) -> tuple[MetadataField, ...]:
        return (MetadataField(name="key", type="text"),)

    def list(self) -> Iterator[SourcePhoto | Skipped]:
        yield from self._listing

    def open(self, photo: SourcePhoto) -> BinaryIO:
        if photo.path not in self.objects:
            raise FileNotFoundError(photo.path)
        return BucketFile(self.objects[photo.path], self._count)

    def stamp(self, photo: SourcePhoto) -> None:
        return None

    def covers(self, path: Path) -> bool:
        return False

    def _count(self, read: int) -> None:
        with self._lock:
            self.bytes_read += read


def report_lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_bucket_becomes_the_files_of_a_version(
    tmp_path: Path, tiny_bundle_dir: Path, draw_jpeg: Callable[..., bytes]
) -> None:
    objects = {f"{name}.jpg": draw_jpeg(seed) for seed, name in enumerate("dbca")}
    source = Bucket(objects | {"broken.jpg": b"no photo", "zero.jpg": b"", "twin.jpg": objects["a.jpg"]})
    encoder = Bundle.load(tiny_bundle_dir, Runtime(threads=1)).photo
    calls: list[int] = []
    with Report(tmp_path / layout.REPORT) as report, listed_photos(source, report, tmp_path) as photos:
        embedder = ThreadedEmbedder(encoder, ImageLimits(), Pace(2, 2))
        written = write_photos(
            tmp_path,
            embedder.embed(source, photos),
            fields=source.fields,
            dim=encoder.embedding_dim,
            report=report,
            done=calls.append,
        )
    assert (written.sum(), len(written), calls) == (5, 7, list(range(1, 8)))
    names = ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "twin.jpg"]
    store = PhotoStore(tmp_path / layout.PHOTOS, source.fields)
    records = store.photos(range(5))
    store.close()
    assert [(record.photo_id, dict(record.metadata)) for record in records] == [(name, {"key": name}) for name in names]
    vectors = np.load(tmp_path / layout.VECTORS)
    np.testing.assert_allclose(vectors, encoder.embed([source.objects[name] for name in names]), atol=1e-6)
    assert {(line["path"], line["reason"]) for line in report_lines(tmp_path / layout.REPORT)} == {
        ("broken.jpg", "not_an_image"),
        ("zero.jpg", "empty"),
    }


@settings(max_examples=50, deadline=None)
@given(ids=st.lists(st.text("abc/", min_size=1, max_size=3), max_size=20))
def test_rows_are_sorted_by_id_and_the_first_of_an_id_counts(
    tmp_path_factory: pytest.TempPathFactory, ids: list[str]
) -> None:
    path = tmp_path_factory.mktemp("listing") / "report.jsonl"
    listing = [SourcePhoto(photo_id, "", f"path {position}") for position, photo_id in enumerate(ids)]
    with Report(path) as report, listed_photos(Bucket({}, listing), report, path.parent) as listed:
        photos = list(listed)
    assert [photo.photo_id for photo in photos] == sorted(set(ids))
    assert [photo.path for photo in photos] == [f"path {ids.index(photo.photo_id)}" for photo in photos]
    repeated = [position for position, photo_id in enumerate(ids) if photo_id in ids[:position]]
    assert [line["path"] for line in report_lines(path)] == [f"path {position}" for position in repeated]
    for line, position in zip(report_lines(path), repeated, strict=True):
        assert line["detail"] == f"path {ids.index(ids[position])} has this id already"


def test_what_a_source_skips_is_reported(tmp_path: Path) -> None:
    odd = Skipped("unusable_name", "\udce9", "not UTF-8")
    bucket = Bucket({}, [odd, SourcePhoto("a", "", "a")])
    with Report(tmp_path / "report.jsonl") as report, listed_photos(bucket, report, tmp_path) as photos:
        assert ([photo.photo_id for photo in photos], report.skipped) == (["a"], {"unusable_name": 1})


def test_a_listing_that_fails_half_way_is_raised(tmp_path: Path) -> None:
    class Failing(Bucket):
        def list(self) -> Iterator[SourcePhoto | Skipped]:
            yield SourcePhoto("a", "", "a")
            raise GalleryInvalid("the bucket denied access")

    with (
        Report(tmp_path / "report.jsonl") as report,
        pytest.raises(GalleryInvalid, match="denied"),
        listed_photos(Failing({}), report, tmp_path),
    ):
        pytest.fail("the listing was cut short")
    assert [path.name for path in tmp_path.iterdir()] == ["report.jsonl"]


def test_a_photo_is_read_once(tiny_bundle_dir: Path, draw_jpeg: Callable[..., bytes]) -> None:
    source = Bucket({"a": draw_jpeg(1), "b": draw_jpeg(2)})
    encoder = Bundle.load(tiny_bundle_dir, Runtime(threads=1)).photo
    list(ThreadedEmbedder(encoder, ImageLimits(), Pace(1, 1)).embed(source, [SourcePhoto(n, "", n) for n in "ab"]))
    assert source.bytes_read == sum(map(len, source.objects.values()))


def test_a_file_beyond_the_limit_is_not_read() -> None:
    source, photo = Bucket({"a": bytes(1000)}), SourcePhoto("a", "", "a")
    assert read_bytes(source, photo, 1000) == bytes(1000)
    source.bytes_read = 0
    with pytest.raises(ImageTooLarge, match=r"1,000 bytes; at most 999 are read"):
        read_bytes(source, photo, 999)
    assert source.bytes_read == 0


def test_facts_are_those_of_the_file(tiny_bundle_dir: Path, draw_jpeg: Callable[..., bytes]) -> None:
    data = draw_jpeg(3, (120, 50))
    facts = facts_of(Bundle.load(tiny_bundle_dir, Runtime(threads=1)).photo.read(data))
    assert (facts.sha256, facts.width, facts.height, facts.frames) == (hashlib.sha256(data).hexdigest(), 120, 50, 1)
    assert facts.thumbnail.jpeg.startswith(b"\xff\xd8")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PhotoEmpty("zero bytes"), "empty"),
        (ImageTooLarge("many pixels"), "too_large"),
        (ImageUnsupported("a text"), "not_an_image"),
        (ImageUnreadable("truncated"), "unreadable"),
        (SketchEmpty("another image error"), "unreadable"),
        (FileNotFoundError(2, "No such file"), "missing"),
        (PermissionError(13, "Permission denied"), "unreadable"),
        (OSError("without a number"), "unreadable"),
    ],
)
def test_each_error_has_its_reason(error: ImageError | OSError, reason: SkipReason) -> None:
    entry = skipped(SourcePhoto("id", "", "path"), error)
    assert (entry.reason, entry.path, entry.photo_id) == (reason, "path", "id")
    assert entry.detail
