"""What a later release wrote: each reader names it, both schema versions and what to do, and leaves it alone."""

from __future__ import annotations

import base64
import io
import json
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index_builder.artifact import GalleryIndex, IndexSchemaUnsupported
from index_builder.artifact.manifest import manifest_digest
from index_builder.artifact.segments.online_changes import CHANGES, read_changes
from index_builder.artifact.segments.segment import SEGMENT, read_segment
from models.adapters import Adaptation, AdaptationCorrupt
from models.bundle import read_manifest
from models.bundle.errors import BundleSchemaUnsupported
from models.errors import InkseekError
from service.access.errors import KeysSchemaUnsupported
from service.access.key_file import add_key, read_keys
from service.access.keys import make_key
from service.adaptation.exchange import imported
from service.backup.contents import parse_contents
from service.backup.errors import ArchiveSchemaUnsupported
from service.errors import AdapterFileInvalid, OnlineSchemaUnsupported
from service.store.online_store import OnlineStore

GOLDEN = Path(__file__).parent
LATER = 99

Fails = Callable[[Path], object]


def later(path: Path, key: str = "schema_version") -> None:
    """The document as a later release may have written it, with a field that nobody knows yet."""
    document: dict[str, Any] = json.loads(path.read_text())
    path.write_text(json.dumps({**document, key: LATER, "something_new": True}))


def index_manifest(folder: Path) -> object:
    shutil.copytree(GOLDEN / "index_v3", folder / "index")
    (version,) = (folder / "index" / "versions").iterdir()
    later(version / "manifest.json")
    name = f"000001-{manifest_digest((version / 'manifest.json').read_bytes())}"
    version.rename(version.with_name(name))
    (folder / "index" / "current").write_text(name)
    return GalleryIndex.load(folder / "index")


def segment(folder: Path) -> object:
    place = next((GOLDEN / "index_v3" / "segments").iterdir())
    shutil.copytree(place, folder / place.name)
    later(folder / place.name / SEGMENT)
    return read_segment(folder / place.name)


def changes(folder: Path) -> object:
    shutil.copy(GOLDEN / "documents" / "changes_v1.json", folder / CHANGES)
    later(folder / CHANGES)
    return read_changes(folder)


def bundle(folder: Path) -> object:
    shutil.copytree(GOLDEN / "bundle_v1", folder / "bundle")
    later(folder / "bundle" / "manifest.json")
    return read_manifest(folder / "bundle")


def adaptation(folder: Path) -> object:
    with np.load(GOLDEN / "bundle_v1" / "adaptation.npz") as file:
        arrays = dict(file)
    header = {**json.loads(arrays.pop("header").tobytes()), "format": LATER}
    np.savez(folder / "later.npz", header=np.frombuffer(json.dumps(header).encode(), np.uint8), **arrays)
    return Adaptation.from_bytes((folder / "later.npz").read_bytes())


def keys(folder: Path) -> object:
    shutil.copy(GOLDEN / "keys_v1.json", folder / "keys.json")
    later(folder / "keys.json")
    return read_keys(folder / "keys.json")


def online_store(folder: Path) -> object:
    shutil.copytree(GOLDEN / "online_v1", folder / "online")
    with closing(sqlite3.connect(folder / "online" / "online.sqlite")) as database:
        database.execute(f"PRAGMA user_version = {LATER}")
    return OnlineStore(folder / "online", "golden-bundle", 4).state()


def adapter_file(folder: Path) -> object:
    data = base64.b64decode((GOLDEN / "adapter_v1.zip.b64").read_bytes())
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'"format": 1', b'"format": %d' % LATER))
    return imported(OnlineStore(folder, "golden-bundle", 4), changed.getvalue(), 4, 10)


def backup(folder: Path) -> object:
    shutil.copy(GOLDEN / "documents" / "backup_v1.json", folder / "backup.json")
    later(folder / "backup.json")
    return parse_contents((folder / "backup.json").read_bytes())


@pytest.mark.parametrize(
    ("read", "error", "reads"),
    [
        (bundle, BundleSchemaUnsupported, "version 1 to 4"),
        (adaptation, AdaptationCorrupt, "version 1"),
        (index_manifest, IndexSchemaUnsupported, "version 1 to 3"),
        (segment, IndexSchemaUnsupported, "version 1"),
        (changes, IndexSchemaUnsupported, "version 1"),
        (keys, KeysSchemaUnsupported, "version 1"),
        (online_store, OnlineSchemaUnsupported, "version 1 to 5"),
        (adapter_file, AdapterFileInvalid, "version 1"),
        (backup, ArchiveSchemaUnsupported, "version 1"),
    ],
)
def test_it_is_rejected_with_the_same_sentence(
    tmp_path: Path, read: Fails, error: type[InkseekError], reads: str
) -> None:
    with pytest.raises(error) as caught:
        read(tmp_path)
    assert f"has schema version {LATER}; this release reads {reads}: use the release that wrote it" in str(caught.value)


@pytest.mark.parametrize("version", ["1", True, None, 0, -1, 1.5, [1]])
def test_what_is_no_version_at_all_is_no_version_1(tmp_path: Path, version: object) -> None:
    for name, read, error in (
        ("keys.json", read_keys, KeysSchemaUnsupported),
        ("backup.json", lambda path: parse_contents(path.read_bytes()), ArchiveSchemaUnsupported),
        (CHANGES, lambda path: read_changes(path.parent), IndexSchemaUnsupported),
    ):
        (tmp_path / name).write_text(json.dumps({"schema_version": version, "keys": []}))
        with pytest.raises(error, match="this release reads version 1"):
            read(tmp_path / name)


def test_keys_of_a_later_release_are_not_written_over(tmp_path: Path) -> None:
    with pytest.raises(KeysSchemaUnsupported):
        keys(tmp_path)
    before = (tmp_path / "keys.json").read_bytes()
    with pytest.raises(KeysSchemaUnsupported):
        add_key(tmp_path / "keys.json", make_key("eve", ("search",)).key)
    assert (tmp_path / "keys.json").read_bytes() == before
