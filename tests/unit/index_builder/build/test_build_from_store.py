"""Galleries in an object store: the index of a folder, at the cost of what changed, and safe where the store fails."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import fsspec
import numpy as np
import pytest

from index_builder.artifact import GalleryIndex, layout
from index_builder.build import BuildRequest, build_index, update_index
from index_builder.embedding.threads import ThreadedEmbedder
from index_builder.errors import SourceUnavailable
from index_builder.sources.base import SourcePhoto
from index_builder.sources.exclusions import Exclusions
from index_builder.sources.folder import FolderSource
from models.bundle import Bundle, ImageLimits, Pace
from tests.unit.index_builder.files.s3_server import Bucket


@pytest.fixture
def request_(photos: Path, s3: Bucket, tmp_path: Path, tiny_bundle_dir: Path) -> BuildRequest:
    """A build of the six photos, a broken one and an empty one."""
    (photos / "shoe" / "broken.jpg").write_bytes(b"no photo")
    (photos / "shoe" / "zero.jpg").write_bytes(b"")
    url = s3.put_folder(photos, "photos")
    return BuildRequest(url, tmp_path / "index", bundle=tiny_bundle_dir, workers=2, batch=2)


def content_of(index: Path) -> tuple[list[str], list[str], bytes]:
    loaded = GalleryIndex.load(index)
    records = list(loaded.records())
    vectors = loaded.vectors_of(np.arange(loaded.count)).tobytes()
    loaded.close()
    return [record.photo_id for record in records], [record.sha256 for record in records], vectors


def test_a_build_from_a_store_equals_that_from_a_folder(request_: BuildRequest, photos: Path, tmp_path: Path) -> None:
    stored = build_index(request_).manifest
    local = build_index(replace(request_, photos=photos, out=tmp_path / "local")).manifest
    assert content_of(request_.out) == content_of(tmp_path / "local")
    assert stored.build.skipped == local.build.skipped == {"not_an_image": 1, "empty": 1}
    assert stored.gallery.root == request_.photos
    assert not (layout.version_dir(request_.out, layout.current_version(request_.out)) / "listing.sqlite").exists()


def test_limits_hold_for_objects_too(request_: BuildRequest, s3: Bucket, draw_jpeg: Callable[..., bytes]) -> None:
    s3.put("photos/shoe/large.jpg", draw_jpeg(9) + bytes(20_000))
    s3.put("photos/shoe/wide.jpg", draw_jpeg(9, (300, 300)))
    limits = ImageLimits(max_bytes=15_000, max_pixels=80_000)
    manifest = build_index(replace(request_, limits=limits)).manifest
    assert (manifest.count, manifest.build.skipped["too_large"]) == (6, 2)


def test_an_update_embeds_the_changed_object_alone(
    request_: BuildRequest, s3: Bucket, draw_jpeg: Callable[..., bytes]
) -> None:
    build_index(request_)
    assert update_index(request_).unchanged
    s3.put("photos/shoe/0.jpg", draw_jpeg(70))
    s3.delete("photos/chair/5.jpg")
    result = update_index(request_).manifest
    assert (result.build.embedded, result.build.reused, result.count) == (1, 4, 5)
    assert hashlib.sha256(draw_jpeg(70)).hexdigest() in content_of(request_.out)[1]


def test_a_store_that_denies_leaves_what_was_published(request_: BuildRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    version = build_index(request_).version
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    clients = fsspec.get_filesystem_class("s3")
    clients.clear_instance_cache()
    for attempt in (build_index, update_index):
        with pytest.raises(SourceUnavailable, match="credentials"):
            attempt(request_)
    clients.clear_instance_cache()
    assert layout.current_version(request_.out) == version
    assert layout.list_versions(request_.out) == [version]


def test_a_store_that_goes_away_ends_the_build_and_drops_no_photo(photos: Path, tiny_bundle_dir: Path) -> None:
    class Leaving(FolderSource):
        def open(self, photo: SourcePhoto) -> BinaryIO:
            if photo.path == "shoe/2.jpg":
                raise SourceUnavailable("s3://gallery cannot be read: the token has expired")
            return super().open(photo)

    source = Leaving(photos, Exclusions(), follow_links=False)
    listed: Iterator[SourcePhoto] = (photo for photo in source.list() if isinstance(photo, SourcePhoto))
    embedder = ThreadedEmbedder(Bundle.load(tiny_bundle_dir).photo, ImageLimits(), Pace(1, 1))
    with pytest.raises(SourceUnavailable, match="expired"):
        list(embedder.embed(source, listed))
