"""Galleries in Google Cloud Storage and in Azure, each behind a server of its own on this machine; `make stores-test`.

Google's is the Python package `gcp-storage-emulator`, Azure's is Azurite, a program of npm. Whatever is missing skips
its half with the reason.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index_builder.artifact import GalleryIndex
from index_builder.build import BuildRequest, build_index, update_index
from index_builder.errors import SourceUnavailable
from index_builder.files.store import ObjectStore

BUCKET = "gallery"
AZURITE = Path(__file__).resolve().parents[4] / "var" / "azurite" / "node_modules" / ".bin" / "azurite-blob"
# The name and key that Azurite documents: every copy of it has them.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@dataclass(frozen=True)
class Container:
    """A bucket or container by fsspec's client of it, which Inkseek finds by the environment."""

    url: str
    files: Any

    def put(self, name: str, content: bytes) -> None:
        self.files.pipe_file(f"{BUCKET}/{name}", content)

    def delete(self, name: str) -> None:
        self.files.rm_file(f"{BUCKET}/{name}")


@contextmanager
def google(environment: pytest.MonkeyPatch) -> Iterator[Container]:
    # Its client would ask by gRPC, which the emulator does not speak, what kind of bucket this is.
    environment.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    gcsfs = pytest.importorskip("gcsfs")
    emulator = pytest.importorskip("gcp_storage_emulator.server")
    server = emulator.create_server("127.0.0.1", 0, in_memory=True, default_bucket=BUCKET)
    server.start()
    try:
        host, port = server._api._httpd.server_address[:2]
        environment.setenv("STORAGE_EMULATOR_HOST", f"http://{host}:{port}")
        gcsfs.GCSFileSystem.clear_instance_cache()
        yield Container(f"gs://{BUCKET}", gcsfs.GCSFileSystem(token="anon"))
    finally:
        gcsfs.GCSFileSystem.clear_instance_cache()
        server.stop()


@contextmanager
def azure(environment: pytest.MonkeyPatch) -> Iterator[Container]:
    adlfs = pytest.importorskip("adlfs")
    program = shutil.which("azurite-blob") or (str(AZURITE) if AZURITE.exists() else None)
    if program is None:
        pytest.skip("no azurite-blob: npm install azurite")
    options = ("--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck", "--silent")
    listening = ("--blobHost", "127.0.0.1", "--blobPort", "0")
    with subprocess.Popen([program, *options, *listening], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines = iter(process.stdout.readline, "")
            url = next(found[0] for line in lines if (found := re.search(r"http://127\.0\.0\.1:[1-9]\d*", line)))
            connection = f"AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={url}/{ACCOUNT};"
            environment.setenv("AZURE_STORAGE_CONNECTION_STRING", f"DefaultEndpointsProtocol=http;{connection}")
            adlfs.AzureBlobFileSystem.clear_instance_cache()
            files = adlfs.AzureBlobFileSystem()
            files.mkdir(BUCKET)
            yield Container(f"az://{BUCKET}", files)
        finally:
            adlfs.AzureBlobFileSystem.clear_instance_cache()
            process.terminate()


@pytest.fixture(params=[google, azure])
def container(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Container]:
    for name in [name for name in os.environ if name.startswith(("AZURE_STORAGE_", "GOOGLE_APPLICATION"))]:
        monkeypatch.delenv(name)
    with request.param(monkeypatch) as container:
        yield container


def test_objects_are_listed_with_stamps_and_read_by_ranges(container: Container) -> None:
    contents = {"a.jpg": b"a", "shoe/b.jpg": b"0123456789", "shoe/boots/c.jpg": b"ccc"}
    for name, content in contents.items():
        container.put(f"photos/{name}", content)
    container.put("other/d.jpg", b"d")
    store = ObjectStore.at(f"{container.url}/photos/")
    listed = {found.path: found.stamp for found in store.objects()}
    assert {path: stamp.bytes for path, stamp in listed.items()} == {name: len(data) for name, data in contents.items()}
    assert listed == {path: store.stamp(path) for path in contents}
    assert store.read("shoe/b.jpg", 2, 5) == b"234"
    with store.open("shoe/b.jpg", listed["shoe/b.jpg"]) as file:
        assert file.read() == b"0123456789"
    container.put("photos/shoe/b.jpg", b"9876543210")
    assert store.stamp("shoe/b.jpg") != listed["shoe/b.jpg"]


def test_what_is_not_there_is_said_in_one_line(container: Container) -> None:
    container.put("photos/a.jpg", b"a")
    store = ObjectStore.at(f"{container.url}/photos")
    assert store.stamp("nothing") is None
    with pytest.raises(FileNotFoundError):
        store.read("nothing", 0, 1)
    elsewhere = container.url.replace(BUCKET, "elsewhere")
    with pytest.raises(SourceUnavailable, match=f"{elsewhere}/photos cannot be") as raised:
        list(ObjectStore.at(f"{elsewhere}/photos").objects())
    assert "\n" not in str(raised.value)


def test_an_index_of_a_store_is_that_of_the_folder_and_follows_it(
    container: Container, photos: Path, tmp_path: Path, tiny_bundle_dir: Path, draw_jpeg: Callable[..., bytes]
) -> None:
    (photos / "shoe" / "broken.jpg").write_bytes(b"no photo")
    for path in sorted(photos.rglob("*.jpg")):
        container.put(f"photos/{path.relative_to(photos).as_posix()}", path.read_bytes())
    local = BuildRequest(photos, tmp_path / "local", bundle=tiny_bundle_dir, workers=2, batch=2)
    stored = replace(local, photos=f"{container.url}/photos", out=tmp_path / "stored")
    assert build_index(stored).manifest.build.skipped == build_index(local).manifest.build.skipped
    assert content_of(stored.out) == content_of(local.out)
    assert update_index(stored).unchanged
    container.put("photos/shoe/0.jpg", draw_jpeg(70))
    container.delete("photos/chair/5.jpg")
    updated = update_index(stored).manifest
    assert (updated.build.embedded, updated.build.reused, updated.count) == (1, 4, 5)
    assert hashlib.sha256(draw_jpeg(70)).hexdigest() in content_of(stored.out)[1]


def test_azure_without_credentials_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    adlfs = pytest.importorskip("adlfs")
    for name in [name for name in os.environ if name.startswith("AZURE_STORAGE_")]:
        monkeypatch.delenv(name)
    adlfs.AzureBlobFileSystem.clear_instance_cache()
    with pytest.raises(SourceUnavailable, match=f"^az://{BUCKET}/photos cannot be read: ") as raised:
        list(ObjectStore.at(f"az://{BUCKET}/photos").objects())
    assert "\n" not in str(raised.value)


def content_of(index: Path) -> tuple[list[str], list[str], bytes]:
    """Ids, hashes and vectors."""
    loaded = GalleryIndex.load(index)
    try:
        records = list(loaded.records())
        vectors = loaded.vectors_of(np.arange(loaded.count)).tobytes()
    finally:
        loaded.close()
    return [record.photo_id for record in records], [record.sha256 for record in records], vectors
