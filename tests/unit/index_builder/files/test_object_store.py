"""Objects of a store: listed in pages, read by ranges, and what goes wrong in one line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from index_builder.errors import SourceUnavailable
from index_builder.files.stamp import FileStamp
from index_builder.files.store import ObjectChanged, ObjectStore, is_url
from tests.unit.index_builder.files.s3_server import BUCKET, Bucket


class Memory(MemoryFileSystem):  # type: ignore[misc]
    """Objects of one test alone."""

    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self.store: dict[str, Any] = {}
        self.pseudo_dirs = [""]


@pytest.fixture
def memory() -> Memory:
    return Memory()


def test_what_is_a_url() -> None:
    assert is_url("s3://bucket/photos")
    assert not any(is_url(text) for text in ("photos", "/photos", "C:/photos", "s3:/bucket", "s3://", "a b://c"))


def test_folders_are_listed_one_by_one(memory: Memory) -> None:
    for name in ("a.jpg", "shoe/b.jpg", "shoe/boots/c.jpg"):
        memory.pipe_file(f"/gallery/photos/{name}", name.encode())
    memory.pipe_file("/gallery/other.jpg", b"x")
    store = ObjectStore("memory://gallery/photos", memory, "gallery/photos")
    listed = {found.path: found.stamp for found in store.objects()}
    assert sorted(listed) == ["a.jpg", "shoe/b.jpg", "shoe/boots/c.jpg"]
    assert listed == {path: store.stamp(path) for path in listed}
    assert {path: stamp.bytes for path, stamp in listed.items()} == {path: len(path) for path in listed}


def test_pages_are_listed_without_the_folders_own_objects(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "5")  # of a page; S3 has a thousand
    keys = [f"photos/{number // 5}/{number:02d}.jpg" for number in range(17)]
    for key in (*keys, "photos/", "photos/empty/", "photos2/x.jpg"):
        s3.put(key, b"x")
    listed = [found.path for found in ObjectStore.at(f"s3://{BUCKET}/photos/").objects()]
    assert listed == [key.removeprefix("photos/") for key in keys]


def test_a_range_is_read_and_no_more(memory: Memory) -> None:
    memory.pipe_file("/gallery/a", bytes(range(100)))
    store = ObjectStore("memory://gallery", memory, "gallery")
    assert store.read("a", 10, 20) == bytes(range(10, 20))
    with store.open("a") as file:
        assert file.seek(0, 2) == 100
        assert file.seek(90) == file.tell() == 90
        assert file.read(4) == bytes(range(90, 94))
        assert file.read() == bytes(range(94, 100))
        assert file.read() == b""


@pytest.mark.parametrize("content", [b"short", b"much longer than it was"])
def test_an_object_that_changed_since_the_listing_is_read_whole(memory: Memory, content: bytes) -> None:
    memory.pipe_file("/gallery/a", b"as listed")
    store = ObjectStore("memory://gallery", memory, "gallery")
    (listed,) = store.objects()
    memory.pipe_file("/gallery/a", content)
    with store.open("a", listed.stamp) as file:
        assert file.seek(0, 2) == len(b"as listed")
        file.seek(0)
        assert file.read(2**20) == content


def test_an_object_that_changes_with_each_look_is_given_up() -> None:
    class Restless(Memory):
        def cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: Any) -> bytes:
            self.pipe_file(path, self.store[self._strip_protocol(path)].getvalue() + b"+")
            data: bytes = super().cat_file(path, start, end)
            return data

    files = Restless()
    files.pipe_file("/gallery/a", b"content")
    with (
        pytest.raises(ObjectChanged, match="memory://gallery/a changed"),
        ObjectStore("memory://gallery", files, "gallery").open("a", FileStamp(7, 0)) as file,
    ):
        file.read()


def test_a_listing_that_fails_half_way_is_one_line() -> None:
    class HalfWay:
        def call_s3(self, _: str, ContinuationToken: str = "", **__: str) -> dict[str, Any]:  # noqa: N803
            if ContinuationToken:
                raise ConnectionResetError("reset\nby peer")
            entry = {"Key": "photos/a.jpg", "Size": 1, "ETag": "e"}
            return {"Contents": [entry], "IsTruncated": True, "NextContinuationToken": "next"}

    listing = ObjectStore(f"s3://{BUCKET}/photos", HalfWay(), f"{BUCKET}/photos").objects()
    assert next(listing).path == "a.jpg"
    with pytest.raises(SourceUnavailable, match=r"^s3://gallery/photos cannot be read: reset by peer$"):
        next(listing)


def test_a_listing_may_be_left(memory: Memory) -> None:
    memory.pipe_file("/gallery/a", b"x")
    memory.pipe_file("/gallery/b", b"x")
    listing: Iterator[object] = ObjectStore("memory://gallery", memory, "gallery").objects()
    next(listing)
    del listing


def test_missing_credentials_are_one_line(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"s3://{BUCKET}/photos"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    clients = fsspec.get_filesystem_class("s3")
    clients.clear_instance_cache()
    with pytest.raises(SourceUnavailable, match="Unable to locate credentials") as raised:
        list(ObjectStore.at(url).objects())
    clients.clear_instance_cache()
    assert "\n" not in str(raised.value)


def test_no_such_bucket_and_no_such_object(s3: Bucket) -> None:
    with pytest.raises(SourceUnavailable, match="s3://elsewhere/photos cannot be listed"):
        list(ObjectStore.at("s3://elsewhere/photos").objects())
    assert list(ObjectStore.at(f"s3://{BUCKET}/nothing").objects()) == []
    store = ObjectStore.at(f"s3://{BUCKET}")
    assert store.stamp("nothing") is None
    with pytest.raises(FileNotFoundError):
        store.read("nothing", 0, 1)


def test_a_store_whose_client_is_missing_says_which_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(SourceUnavailable, match=r"inkseek\[gs\]"):
        ObjectStore.at("gs://bucket/photos")
    with pytest.raises(SourceUnavailable, match=r"photos are read from s3://, gs://, az://"):
        ObjectStore.at("ftp://host/photos")


def test_entity_tags_become_numbers_that_look_like_no_time() -> None:
    one, other = FileStamp.of_tag(5, '"abc"'), FileStamp.of_tag(5, '"abd"')
    assert one == FileStamp.of_tag(5, '"abc"') != other
    assert 0 <= one.modified_ns < 10**17
