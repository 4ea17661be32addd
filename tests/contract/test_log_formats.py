"""One log format at a time: from the first line to the last, of the supervisor and of its workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def serving(*options: str, **environment: str) -> Iterator[tuple[str, list[str], subprocess.Popen[str]]]:
    """A service that logs JSON: its address, its lines so far, its process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "inkseek", "serve", "--port", "0", *options],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("INKSEEK_")}
        | {"INKSEEK_LOG_FORMAT": "json", **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    lines: list[str] = []
    try:
        address = ""
        while not address:
            lines.append(process.stderr.readline())
            assert lines[-1], f"it ended: {lines}"
            message = json.loads(lines[-1])["message"]
            address = message.removeprefix("Draw at ") if message.startswith("Draw at ") else ""
        yield address, lines, process
    finally:
        process.terminate()
        lines += process.stderr.readlines()
        process.wait(60)
        process.stderr.close()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_every_line_is_json(index_dir: Path, tiny_bundle_dir: Path, tmp_path: Path, workers: str) -> None:
    folders = ["--index", str(index_dir), "--bundle", str(tiny_bundle_dir), "--online-dir", str(tmp_path)]
    platform = {"INKSEEK_PORT": "tcp://10.0.0.1:8000"}
    with serving(*folders, "--workers", workers, INKSEEK_ACCESS_LOG="true", **platform) as (address, lines, _):
        transport = httpx.HTTPTransport(retries=50)  # the first worker may still be starting
        with httpx.Client(transport=transport, base_url=address, timeout=60) as client:
            assert client.get("/livez").status_code == 200
            assert client.get("/nowhere").status_code == 404
    documents = [json.loads(line) for line in lines]
    assert all({"time", "level", "logger", "message"} <= document.keys() for document in documents)
    messages = [document["message"] for document in documents]
    assert "ignored" in messages[0]
    assert [message for message in messages if message.startswith("GET /livez 200")]


def test_an_error_that_ends_the_start_is_json(index_dir: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("INKSEEK_")}
    for options, named in (
        (["--index", str(tmp_path / "none")], "IndexNotFound"),
        (["--index", str(index_dir), "--host", "0.0.0.0"], "AddressExposed"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "inkseek", "serve", "--port", "0", *options],
            cwd=ROOT,
            env=environment | {"INKSEEK_LOG_FORMAT": "json"},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 1
        last = [json.loads(line) for line in done.stderr.splitlines()][-1]
        assert (last["level"], last["message"].split(":")[0]) == ("critical", named)


@pytest.mark.parametrize("style", ["plain", "json"])
def test_warnings_and_errors_that_nobody_caught_are_lines_of_the_log(style: str) -> None:
    program = (
        "import threading, warnings; from service.runtime.logs import configure_logging\n"
        f"configure_logging('info', {style!r}); warnings.warn('careful')\n"
        "thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()\n"
        "raise RuntimeError('nobody')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    if style == "json":
        documents = [json.loads(line) for line in done.stderr.splitlines()]
        assert [document["level"] for document in documents] == ["warning", "critical", "critical"]
        assert "careful" in documents[0]["message"]
        assert "ZeroDivisionError" in documents[1]["exception"] and "nobody" in documents[2]["exception"]
    else:
        assert "warning py.warnings" in done.stderr
        assert "critical inkseek.service ZeroDivisionError" in done.stderr
