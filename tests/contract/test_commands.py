"""`inkseek serve` as a process of its own, and `inkseek search`."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from PIL import Image, ImageOps
from typer.testing import CliRunner

from inkseek import app
from service.config import settings_table
from tests.contract.waiting import until

ROOT = Path(__file__).resolve().parents[2]


def clean_environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("INKSEEK_")} | more


@contextmanager
def serving(options: Sequence[str], **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A running `inkseek serve`: its address as it announced it, and the process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "inkseek", "serve", "--port", "0", "--workers", "1", *options],
        cwd=ROOT,
        env=clean_environment(**environment),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a group of its own, so that nothing of it outlives a test that fails
    )
    assert process.stderr is not None
    try:
        lines = []
        for line in process.stderr:
            lines.append(line)
            if found := re.search(r'Draw at (http://[^\s"]+)', line):
                yield found.group(1), process
                break
        else:
            raise AssertionError("it did not start: " + "".join(lines))
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stderr.close()


def test_serve_answers_and_stops_gracefully(index_dir: Path, tiny_bundle_dir: Path, cross: bytes) -> None:
    options = ["--index", str(index_dir), "--bundle", str(tiny_bundle_dir)]
    with serving(options, INKSEEK_MAX_UPLOAD_BYTES="100000", INKSEEK_LOG_FORMAT="json") as (address, process):
        with httpx.Client(base_url=address, timeout=60) as client:
            answer = client.post("v1/search", content=cross)
            assert answer.json()["results"][0]["photo_id"] == "cross/2.png"
            assert client.get("readyz").status_code == 200
            assert client.post("v1/search", content=iter([bytes(60_000)] * 3)).status_code == 413
            assert client.post("v1/search", content=cross).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_several_workers_share_their_metrics(index_dir: Path, tiny_bundle_dir: Path, cross: bytes) -> None:
    options = ["--index", str(index_dir), "--bundle", str(tiny_bundle_dir), "--workers", "2"]
    with serving(options, INKSEEK_THREADS="1") as (address, process):
        with httpx.Client(base_url=address, timeout=90) as client:
            for _ in range(12):  # a connection each, so that both workers get some
                response = httpx.post(address + "v1/search", content=cross, timeout=90)
                assert response.json()["results"][0]["photo_id"] == "cross/2.png"
            both = "inkseek_threads 2.0"
            counted = 'inkseek_requests_total{method="POST",route="/v1/search",status="200"} 12.0'
            until(lambda: both in (text := client.get("metrics").text) and counted in text)
            text = client.get("metrics").text
        # Of both processes, of which one alone has mapped more than this.
        resident = float(re.findall(r"^process_resident_memory_bytes (\S+)$", text, re.MULTILINE)[0])
        assert resident > 2 * 40 * 2**20
        assert len(re.findall(r"^process_cpu_seconds_total ", text, re.MULTILINE)) == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_a_revoked_key_is_denied_by_every_worker(index_dir: Path, tiny_bundle_dir: Path, tmp_path: Path) -> None:
    options = ["--index", str(index_dir), "--bundle", str(tiny_bundle_dir), "--online-dir", str(tmp_path)]
    made = CliRunner().invoke(app, ["keys", "create", "ada", "--json", "--index", "x", "--online-dir", str(tmp_path)])
    key = json.loads(made.stdout)
    # The key is what lets it listen on every interface.
    public = [*options, "--host", "0.0.0.0", "--workers", "2"]
    with serving(public, INKSEEK_THREADS="1") as (address, process):

        def statuses() -> set[int]:
            # A connection each, so that both workers get some.
            return {
                httpx.get(address + "v1/info", headers={"x-api-key": key["key"]}, timeout=90).status_code
                for _ in range(12)
            }

        assert statuses() == {200}
        assert httpx.get(address + "v1/info", timeout=90).status_code == 401
        assert CliRunner().invoke(app, ["keys", "revoke", key["key_id"], *options[:2], *options[4:]]).exit_code == 0
        until(lambda: statuses() == {401})
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_a_public_address_without_keys_is_refused_unless_it_is_meant(
    index_dir: Path, tiny_bundle_dir: Path, tmp_path: Path
) -> None:
    options = ["--index", str(index_dir), "--bundle", str(tiny_bundle_dir), "--online-dir", str(tmp_path)]
    result = CliRunner().invoke(app, ["serve", *options, "--host", "0.0.0.0", "--port", "0"])
    assert result.exit_code == 1
    assert "AddressExposed" in result.output and "INKSEEK_OPEN=true" in result.output
    with serving([*options, "--host", "0.0.0.0"], INKSEEK_OPEN="true") as (address, process):
        assert httpx.get(address + "v1/info", timeout=60).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_serve_fails_with_one_clear_message(
    index_dir: Path, tiny_bundle_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = ["--bundle", str(tiny_bundle_dir), "--port", "0"]
    command = [sys.executable, "-m", "inkseek", "serve", "--index", str(tmp_path), *bundle]
    result = subprocess.run(
        command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert "IndexNotFound" in result.stderr
    assert "Traceback" not in result.stderr

    def rejected(*options: str) -> tuple[int, str]:
        outcome = CliRunner().invoke(app, ["serve", *options])
        return outcome.exit_code, outcome.output

    code, said = rejected("--index", str(tmp_path), *bundle, "--workers", "2")
    assert code == 1 and "IndexNotFound" in said
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, said = rejected("--index", str(index_dir), *bundle[:2], "--port", str(taken.getsockname()[1]))
        assert code == 1 and "AddressUnusable" in said
    code, said = rejected()
    assert code == 2 and "--index or INKSEEK_INDEX" in said
    monkeypatch.setenv("INKSEEK_QUEUE_SIZE", "many")
    code, said = rejected("--index", str(index_dir))
    assert code == 2 and "queue_size" in said
    monkeypatch.setenv("INKSEEK_MAX_UPLOAD_BYTE", "5")
    code, said = rejected("--index", str(index_dir))
    assert code == 2 and "did you mean INKSEEK_MAX_UPLOAD_BYTES?" in said


@pytest.fixture
def sketch(tmp_path: Path, cross: bytes) -> Path:
    path = tmp_path / "sketch.png"
    path.write_bytes(cross)
    return path


def test_search_prints_a_table(index_dir: Path, tiny_bundle_dir: Path, sketch: Path) -> None:
    options = ["search", str(sketch), "--index", str(index_dir), "--bundle", str(tiny_bundle_dir), "-k", "3"]
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 0, result.output
    assert "cross/2.png" in result.output


def test_search_as_json_with_filters(index_dir: Path, tiny_bundle_dir: Path, cross: bytes) -> None:
    options = ["search", "-", "--index", str(index_dir), "--bundle", str(tiny_bundle_dir), "--json", "-k", "50"]
    document = json.dumps({"image_base64": base64.b64encode(cross).decode()})
    narrowed = [*options, "--category", "box", "--category", "cross", "--filter", "artist=ada", "--exact"]
    result = CliRunner().invoke(app, narrowed, input=document)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["results"]
    assert sorted(hit["photo_id"] for hit in found) == ["box/1.png", "box/3.png", "cross/1.png", "cross/3.png"]


def test_search_takes_the_mirrored_drawing(index_dir: Path, tiny_bundle_dir: Path, sketch: Path) -> None:
    with Image.open(sketch) as drawn:
        ImageOps.mirror(drawn).save(sketch)
    options = ["search", str(sketch), "--index", str(index_dir), "--bundle", str(tiny_bundle_dir), "-k", "1"]
    best = json.loads(CliRunner().invoke(app, [*options, "--mirror", "true", "--json"]).stdout)["results"][0]
    assert (best["photo_id"], best["mirrored"]) == ("cross/2.png", True)
    assert "mirrored" in CliRunner().invoke(app, [*options, "--mirror", "true"]).output
    as_drawn = json.loads(CliRunner().invoke(app, [*options, "--mirror", "false", "--json"]).stdout)["results"][0]
    assert not as_drawn["mirrored"] and as_drawn["score"] < best["score"]


def test_search_writes_a_contact_sheet(index_dir: Path, tiny_bundle_dir: Path, sketch: Path, tmp_path: Path) -> None:
    options = ["search", str(sketch), "--index", str(index_dir), "--bundle", str(tiny_bundle_dir), "-k", "7"]
    result = CliRunner().invoke(app, [*options, "--sheet", str(tmp_path / "sheet.png")])
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (1296, 504)
        assert len(set(sheet.convert("L").crop((224, 12, 424, 212)).tobytes())) > 1  # the best photo
        assert set(sheet.convert("L").crop((700, 300, 1296, 504)).tobytes()) == {255}  # nothing after the seventh


def test_search_says_what_is_wrong(index_dir: Path, tiny_bundle_dir: Path, sketch: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.png"
    Image.new("L", (64, 64), 255).save(empty)
    base = ["--index", str(index_dir), "--bundle", str(tiny_bundle_dir)]
    for arguments, code, said in (
        ([str(empty), *base], 1, "SketchEmpty"),
        ([str(tmp_path / "none.png"), *base], 1, "none.png"),
        ([str(sketch), *base, "--category", "bxo"], 1, "close ones are box"),
        ([str(sketch), *base, "--sheet", str(tmp_path / "sheet.unknown")], 1, "sheet.unknown"),
        ([str(sketch), *base, "-k", "0"], 2, "-k"),
        ([str(sketch), "--index", str(tmp_path)], 1, ""),
    ):
        result = CliRunner().invoke(app, ["search", *arguments])
        assert result.exit_code == code, result.output
        assert said in result.output
        as_json = CliRunner().invoke(app, ["search", *arguments, "--json"])
        assert as_json.exit_code == code
        if code == 1:
            assert {"error", "detail"} <= set(json.loads(as_json.stdout))


def test_settings_table_has_every_setting() -> None:
    table = settings_table()
    assert table.count("\n| `INKSEEK_") == table.count("\n") - 1
    assert "| `INKSEEK_INDEX` | required |" in table
