"""Tars as sources: samples with metadata, and tars that are damaged, cut short, or change."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from index_builder.artifact import layout
from index_builder.build import BuildRequest, build_index
from index_builder.errors import GalleryInvalid
from index_builder.report import Note, Skipped
from index_builder.sources.base import PhotoSource, SourcePhoto
from index_builder.sources.choice import open_source
from tests.unit.index_builder.files.s3_server import Bucket


def tar_of(files: Mapping[str, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def shards(photos: Path, tmp_path: Path) -> Path:
    """The six photos in two tars, those of chairs with metadata."""
    folder = tmp_path / "shards"
    folder.mkdir()
    files = {path.relative_to(photos).as_posix(): path.read_bytes() for path in sorted(photos.rglob("*.jpg"))}
    chairs = {name: content for name, content in files.items() if name.startswith("chair")}
    for number, name in enumerate(sorted(chairs)):
        cells = {"price": 10 + number, "category": "seat", "tags": ["oak"]}
        chairs[name.replace(".jpg", ".json")] = json.dumps(cells).encode()
        chairs[name.replace(".jpg", ".txt")] = b"a caption"
    (folder / "p-000.tar").write_bytes(tar_of(dict(sorted(chairs.items())), tarfile.PAX_FORMAT))
    (folder / "p-001.tar").write_bytes(tar_of({n: c for n, c in files.items() if n.startswith("shoe")}))
    return folder


def photos_of(source: PhotoSource) -> dict[str, SourcePhoto]:
    return {entry.photo_id: entry for entry in source.list() if isinstance(entry, SourcePhoto)}


@pytest.mark.parametrize("pattern", ["p-*.tar", "p-{000..001}.tar", "p-00?.tar"])
def test_tars_are_a_gallery_with_the_metadata_of_their_samples(shards: Path, photos: Path, pattern: str) -> None:
    source = open_source(shards / pattern)
    assert [(field.name, field.type) for field in source.fields] == [("price", "number"), ("tags", "list")]
    listed = photos_of(source)
    assert sorted(listed) == sorted(path.relative_to(photos).as_posix() for path in photos.rglob("*.jpg"))
    assert (listed["chair/5.jpg"].category, listed["chair/5.jpg"].metadata) == ("seat", (11, ("oak",)))
    assert (listed["shoe/0.jpg"].category, listed["shoe/0.jpg"].metadata) == ("shoe", (None, None))
    assert not [entry for entry in source.list() if isinstance(entry, (Note, Skipped))]
    for photo in listed.values():
        with source.open(photo) as file:
            assert file.read() == (photos / photo.photo_id).read_bytes()
    assert (source.description.root, source.description.manifest) == (str(shards), pattern)
    assert photos_of(open_source(source.description.location)) == listed


def test_tars_in_a_store_are_read_alike(shards: Path, photos: Path, s3: Bucket) -> None:
    source = open_source(s3.put_folder(shards, "shards") + "/p-*.tar")
    local = photos_of(open_source(shards / "p-*.tar"))
    assert photos_of(source) == local
    for photo in local.values():
        with source.open(photo) as file:
            assert file.read() == (photos / photo.photo_id).read_bytes()


def test_a_build_from_tars_names_bytes_that_are_read_again(shards: Path, tmp_path: Path, tiny_bundle_dir: Path) -> None:
    out = tmp_path / "index"
    manifest = build_index(BuildRequest(shards / "p-*.tar", out, bundle=tiny_bundle_dir)).manifest
    assert (manifest.count, manifest.build.skipped) == (6, {})
    again = build_index(BuildRequest(manifest.gallery.location, out, bundle=tiny_bundle_dir)).manifest
    assert again.segments[0].count == 6


def test_links_folders_and_odd_names_are_no_photos(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name, kind in (("shoe", tarfile.DIRTYPE), ("link.jpg", tarfile.SYMTYPE), ("hard.jpg", tarfile.LNKTYPE)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            tar.addfile(entry)
        for name in ("../out.jpg", "/abs.jpg", ".hidden/a.jpg", "a//b.jpg", "@eaDir/x.jpg", "./good.jpg", "x" * 300):
            entry = tarfile.TarInfo(name)
            entry.size = 1
            tar.addfile(entry, io.BytesIO(b"x"))
    source = open_source(tmp_path / "a.tar")
    assert sorted(photos_of(source)) == ["good.jpg", "x" * 300]
    reasons = {entry.path: entry.reason for entry in source.list() if isinstance(entry, Skipped)}
    assert set(reasons.values()) == {"unusable_name", "hidden", "excluded"}


@pytest.mark.parametrize("at", [100, 512, 700, 20_000, -1_024, -10_240, -1])
def test_a_tar_that_was_cut_short_is_one_line(tmp_path: Path, at: int) -> None:
    content = tar_of({f"{number}.jpg": bytes([number]) * 9_000 for number in range(5)})
    (tmp_path / "a.tar").write_bytes(content[:at] if at != -1 else content[: 3 * 512 * 19])
    if at == -1_024:  # the padding of its end alone
        open_source(tmp_path / "a.tar")
        return
    with pytest.raises(GalleryInvalid, match=r"a\.tar (is cut short|cannot be read)") as raised:
        open_source(tmp_path / "a.tar")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"no tar" * 1_000, b"\xff" * 2_048])
def test_what_is_no_tar_is_rejected(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar").write_bytes(content)
    with pytest.raises(GalleryInvalid, match=r"a\.tar"):
        open_source(tmp_path / "a.tar")


def test_a_header_that_is_a_gigabyte_is_not_read(tmp_path: Path) -> None:
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 2**30
    with (tmp_path / "a.tar").open("wb") as file:
        file.write(header.tobuf(tarfile.USTAR_FORMAT))
        file.truncate(2**30 + 4_096)
    with pytest.raises(GalleryInvalid, match="a header of"):
        open_source(tmp_path / "a.tar")


def test_metadata_that_is_none_is_named(tmp_path: Path) -> None:
    files = {"a.jpg": b"x", "a.json": b"{", "b.jpg": b"x", "b.json": b" " * (2**20 + 1), "c.json": b'{"a": 1}'}
    (tmp_path / "a.tar").write_bytes(tar_of(files))
    source = open_source(tmp_path / "a.tar")
    assert sorted(photos_of(source)) == ["a.jpg", "b.jpg"]
    assert [entry.path for entry in source.list() if isinstance(entry, Skipped)] == ["a.tar/a.json", "a.tar/b.json"]


def test_a_tar_that_changes_ends_the_build_and_leaves_what_was_published(
    shards: Path, tmp_path: Path, tiny_bundle_dir: Path
) -> None:
    request = BuildRequest(shards / "p-*.tar", tmp_path / "index", bundle=tiny_bundle_dir, workers=1, batch=1)
    version = build_index(request).version

    def rewrite(stage: str, done: int, total: int | None) -> None:
        if stage == "photos" and done == 1:
            (shards / "p-001.tar").write_bytes((shards / "p-001.tar").read_bytes() + bytes(512))

    with pytest.raises(GalleryInvalid, match=r"p-001\.tar changed while its photos were read"):
        build_index(request, rewrite)
    assert layout.list_versions(request.out) == [version]


def test_tars_that_are_not_there_or_compressed(shards: Path) -> None:
    for pattern in ("q-*.tar", "p-{000..002}.tar", "none.tar"):
        with pytest.raises(GalleryInvalid, match="no tar at"):
            open_source(shards / pattern)
    with pytest.raises(GalleryInvalid, match="compressed"):
        open_source(shards / "p.tar.gz")
