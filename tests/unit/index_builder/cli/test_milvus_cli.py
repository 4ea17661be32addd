"""`inkseek index` with vectors in Milvus: options, variables, and what is said where it cannot be reached."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from index_builder.artifact import MilvusServer, layout
from index_builder.cli.index import app
from index_builder.stores.milvus.keys import base_key


def run(*arguments: object, **variables: str) -> Result:
    result = CliRunner(env=variables).invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def document(result: Result) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(result.stdout)
    return parsed


@pytest.fixture
def build(photos: Path, tmp_path: Path, tiny_bundle_dir: Path) -> tuple[object, ...]:
    return ("build", "--photos", photos, "--out", tmp_path / "index", "--bundle", tiny_bundle_dir, "--json")


def test_a_gallery_is_built_checked_shown_and_rolled_back_in_milvus(
    build: tuple[object, ...], tmp_path: Path, milvus: MilvusServer
) -> None:
    out, named = tmp_path / "index", {"INKSEEK_MILVUS_URI": milvus.uri, "INKSEEK_MILVUS_TOKEN": "geheim"}
    first = document(run(*build, "--store", "milvus", "--milvus-uri", milvus.uri))
    second = document(run(*build, **named))  # the published version's store, and the address of the environment
    assert first["collection"] != second["collection"]
    assert second["search"]["kind"] == "milvus"
    assert second["cost"]["memory_per_photo"] == 0
    assert document(run("verify", "--index", out, "--json", **named))["ok"]
    shown = run("inspect", "--index", out)
    assert second["collection"] in shown.stdout.replace("\n", "")
    back = document(run("rollback", "--index", out, "--json", **named))
    assert (back["previous"], back["version"]) == (second["version"], first["version"])
    client = milvus.connect()
    client.delete(first["collection"], ids=[base_key(first["segments"][0]["name"])])
    lacking = run("verify", "--index", out, "--json", **named)
    assert lacking.exit_code == 1
    assert "vectors are not in" in lacking.stdout
    client.close()


@pytest.mark.parametrize("uri", ["localhost:19530", "http://root:geheim@localhost:19530"])
def test_a_wrong_address_is_wrong_usage(build: tuple[object, ...], uri: str) -> None:
    result = run(*build, "--store", "milvus", "--milvus-uri", uri)
    assert result.exit_code == 2
    assert "--milvus-uri" in result.stderr
    assert "geheim" not in result.output


def test_without_an_address_or_a_server_nothing_is_published(build: tuple[object, ...], tmp_path: Path) -> None:
    nowhere = run(*build, "--store", "milvus")
    assert nowhere.exit_code == 1
    assert "--milvus-uri" in nowhere.stdout
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{taken.getsockname()[1]}"
    away = run(*build, "--store", "milvus", "--milvus-uri", uri, INKSEEK_MILVUS_TOKEN="root:geheim")
    assert away.exit_code == 1
    assert f"Milvus at {uri} cannot connect" in document(away)["detail"]
    assert "geheim" not in away.output
    assert layout.list_versions(tmp_path / "index") == []
