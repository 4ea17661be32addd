"""`inkseek search --url`: what it prints is what a search of the same index prints."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from inkseek import app
from service.access.key_file import add_key
from service.access.keys import make_key
from service.config import Settings
from tests.contract.clients.conftest import serving


@pytest.fixture
def sketch(tmp_path: Path, cross: bytes) -> Path:
    path = tmp_path / "sketch.png"
    path.write_bytes(cross)
    return path


def search(sketch: Path, *options: object) -> Result:
    return CliRunner().invoke(app, ["search", str(sketch), *map(str, options)])


def document(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    parsed: dict[str, Any] = json.loads(result.stdout)
    assert parsed.pop("timings_ms")["total"] > 0
    return parsed


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-k", 3, "--category", "cross", "--mirror", "true", "--exact"),
        ("-k", 20, "--category", "box", "--category", "cross", "--filter", "artist=ada", "--no-adapt"),
        ("-k", 20, "--text", "ada PNG", "--exact"),
        ("-k", 20, "--text", '"box 3"', "--category", "box"),
        ("-k", 4, "--min-score", 0.2, "--group-duplicates", "--frame", "false"),
    ],
)
def test_the_answer_is_that_of_the_index(
    url: str, sketch: Path, index_dir: Path, adaptable_bundle_dir: Path, options: tuple[object, ...]
) -> None:
    of_service = document(search(sketch, "--url", url, "--json", *options))
    of_index = document(search(sketch, "--index", index_dir, "--bundle", adaptable_bundle_dir, "--json", *options))
    assert of_service["results"]
    for answer in (of_service, of_index):
        answer.pop("next_cursor")  # made with a secret of the process
    assert of_service == of_index


def test_words_narrow_both(url: str, sketch: Path, index_dir: Path, adaptable_bundle_dir: Path) -> None:
    for where in (("--url", url), ("--index", index_dir, "--bundle", adaptable_bundle_dir)):
        every = document(search(sketch, *where, "--json", "-k", 50))["results"]
        ours = {hit["photo_id"] for hit in every if hit["category"] == "box" and hit["metadata"]["artist"] == "ada"}
        worded = document(search(sketch, *where, "--json", "-k", 50, "--text", "box ada"))["results"]
        assert 0 < len(ours) < len(every)
        assert {hit["photo_id"] for hit in worded} == ours


def test_the_table_and_the_sheet_are_those_of_the_index(
    url: str, sketch: Path, index_dir: Path, adaptable_bundle_dir: Path, tmp_path: Path
) -> None:
    local = "--index", index_dir, "--bundle", adaptable_bundle_dir
    printed = []
    for name, where in (("service", ("--url", url)), ("index", local)):
        result = search(sketch, *where, "-k", 3, "--sheet", tmp_path / f"{name}.png")
        assert result.exit_code == 0, result.output
        printed.append([line for line in result.output.splitlines() if " ms" not in line])
    assert printed[0] == printed[1]
    assert "cross/2.png" in printed[0][3]
    with Image.open(tmp_path / "service.png") as ours, Image.open(tmp_path / "index.png") as theirs:
        assert (ours.size, ours.tobytes()) == (theirs.size, theirs.tobytes())


def test_keys_are_sent_and_read_from_a_file(
    make_settings: Callable[..., Settings], sketch: Path, tmp_path: Path
) -> None:
    made = make_key("ada", ("search",))
    settings = make_settings(online_dir=tmp_path / "online")
    add_key(settings.key_path, made.key)
    held = tmp_path / "key"
    held.write_text(f"{made.token}\n")
    with serving(settings) as url:
        rejected = search(sketch, "--url", url, "--json")
        assert rejected.exit_code == 1
        said = json.loads(rejected.stdout)
        assert (said["error"], said["kind"], said["code"]) == ("RemoteFailed", "KeyRejected", "key_required")
        for key in (made.token, f"@{held}"):
            assert document(search(sketch, "--url", url, "--key", key, "--json"))["results"]
        missing = search(sketch, "--url", url, "--key", f"@{tmp_path / 'none'}")
        assert (missing.exit_code, "none" in missing.output) == (1, True)
        absent = search(sketch, "--url", url, "--key", made.token, "--gallery", "shoes")
        assert (absent.exit_code, "RemoteFailed" in absent.output) == (1, True)


def test_a_sketch_from_standard_input_reaches_the_service(url: str) -> None:
    strokes = json.dumps({"strokes": [[[20, 90, 160, 236], [20, 90, 160, 236]]]})
    result = CliRunner().invoke(app, ["search", "-", "--url", url, "--json", "-k", "2"], input=strokes)
    assert len(document(result)["results"]) == 2


def test_nobody_there_is_one_line(sketch: Path) -> None:
    result = search(sketch, "--url", "http://127.0.0.1:1")
    assert result.exit_code == 1
    assert "RemoteFailed" in result.output and "127.0.0.1:1" in result.output and "Traceback" not in result.output


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--url", "http://127.0.0.1:1", "--index", "nowhere"), "--index"),
        (("--index", "nowhere", "--key", "k"), "--key"),
        (("--index", "nowhere", "--gallery", "shoes"), "--gallery"),
    ],
)
def test_options_that_contradict_each_other_are_wrong_usage(sketch: Path, options: tuple[str, ...], named: str) -> None:
    result = search(sketch, *options)
    assert result.exit_code == 2
    assert named in result.output


def test_without_the_client_it_says_what_to_install(sketch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "inkseek_client", None)
    result = search(sketch, "--url", "http://127.0.0.1:1", "--json")
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert said["error"] == "ClientNotInstalled" and "inkseek[client]" in said["detail"]
