"""`inkseek backup`: what it prints, its JSON documents, its exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from inkseek import app
from service.access.key_file import add_key
from service.access.keys import make_key
from service.store.online_store import OnlineStore
from service.store.schema import SCHEMA_VERSION
from tests.unit.service.conftest import MakeAdapter
from tests.unit.service.store.adding import add


@pytest.fixture
def folders(shapes_index: Path, adaptable_bundle: Path, tmp_path: Path, make_adapter: MakeAdapter) -> list[str]:
    """Options of a service with an adapter and a key."""
    store = OnlineStore(tmp_path / "online", "bundle-a", 6)
    add(store, make_adapter())
    store.close()
    add_key(tmp_path / "online" / "keys.json", make_key("ada", ("search",)).key)
    return ["--index", str(shapes_index), "--online-dir", str(tmp_path / "online")]


def run(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["backup", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result.output


def document(*arguments: object, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*arguments, "--json", code=code))
    return found


def test_made_verified_and_restored(folders: list[str], adaptable_bundle: Path, tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    made = document("create", archive, *folders)
    assert (made["archive"], made["keys"], made["removed"]) == (str(archive), 1, [])
    assert made["galleries"]["default"]["online_schema"] == SCHEMA_VERSION
    del made["removed"]
    assert document("verify", archive) == document("inspect", archive) == made
    shown = run("verify", archive)
    assert "8 photos, 1 version(s)" in shown and "1 API keys" in shown and "every byte is as it was written" in shown
    target = ["--index", tmp_path / "new", "--online-dir", tmp_path / "new-online", "--bundle", adaptable_bundle]
    restored = document("restore", archive, *target)
    version = made["galleries"]["default"]["index"]["published"]
    assert restored["galleries"] == {"default": {"parts": ["index", "online"], "index_version": version}}
    again = run("restore", archive, *target, "--replace", "--only", "index")
    assert f"default: index: version {version} is published" in again


def test_a_folder_keeps_the_newest_archives(folders: list[str], tmp_path: Path) -> None:
    archives = tmp_path / "archives"
    archives.mkdir()
    old = [archives / f"inkseek-2020010{day}T000000Z.tar" for day in (1, 2)]
    for path in old:
        path.write_bytes(b"")
    made = document("create", archives, *folders, "--keep", 2, "--only", "keys")
    assert made["removed"] == [str(old[0])] and made["galleries"] == {
        "default": {"index": None, "online_schema": None, "quotas": False}
    }
    assert sorted(archives.iterdir()) == [old[1], Path(made["archive"])]
    run("create", tmp_path / "file.tar", *folders, "--keep", 2, code=2)  # which would remove what lies beside it
    assert not (tmp_path / "file.tar").exists()


def test_what_is_wrong_is_said_and_ends_with_1(folders: list[str], adaptable_bundle: Path, tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    run("create", archive, *folders)
    assert document("create", archive, *folders, code=1)["error"] == "ArchiveExists"
    run("create", archive, *folders, "--force")
    bundle = ["--bundle", adaptable_bundle]
    assert document("restore", archive, *folders, *bundle, code=1)["error"] == "TargetNotEmpty"
    elsewhere = ["--index", tmp_path / "new"]
    assert document("restore", archive, *elsewhere, code=1)["error"] == "BundleMismatch"  # the default bundle's
    archive.write_bytes(archive.read_bytes()[:5_000])
    for command in (["verify", archive], ["restore", archive, *elsewhere, *bundle]):
        assert document(*command, code=1)["error"] == "ArchiveCutShort"
    assert "ArchiveUnreadable" in run("inspect", tmp_path / "absent.tar", code=1)
    assert not (tmp_path / "new" / "current").exists()
    run("create", tmp_path / "b.tar", *folders, "--only", "all", code=2)
    assert not (tmp_path / "b.tar").exists()
