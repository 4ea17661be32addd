"""Clients that send a whole large body before they read: each gets the problem, and never a reset connection."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.access.key_file import add_key
from service.access.keys import make_key

BYTES = 20 * 2**20

# Each script takes a URL, a length, and headers as JSON; it prints status and body.
PYTHON = {
    "http.client": """
import http.client, json, sys, urllib.parse
url, length, headers = urllib.parse.urlsplit(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
connection = http.client.HTTPConnection(url.netloc, timeout=60)
connection.request("POST", url.path, bytes(length), headers)
answer = connection.getresponse()
print(answer.status, answer.read().decode())
""",
    "http.client, chunked": """
import http.client, json, sys, urllib.parse
url, length, headers = urllib.parse.urlsplit(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
connection = http.client.HTTPConnection(url.netloc, timeout=60)
pieces = (bytes(65536) for _ in range(length // 65536))
connection.request("POST", url.path, pieces, headers, encode_chunked=True)
answer = connection.getresponse()
print(answer.status, answer.read().decode())
""",
    "urllib.request": """
import json, sys, urllib.error, urllib.request
request = urllib.request.Request(sys.argv[1], bytes(int(sys.argv[2])), json.loads(sys.argv[3]))
try:
    urllib.request.urlopen(request, timeout=60)
except urllib.error.HTTPError as answer:
    print(answer.code, answer.read().decode())
""",
    "requests": """
import json, requests, sys
answer = requests.post(sys.argv[1], data=bytes(int(sys.argv[2])), headers=json.loads(sys.argv[3]), timeout=60)
print(answer.status_code, answer.text)
""",
    "requests, a form": """
import json, requests, sys
files = {"sketch": bytes(int(sys.argv[2]))}
answer = requests.post(sys.argv[1], files=files, headers=json.loads(sys.argv[3]), timeout=60)
print(answer.status_code, answer.text)
""",
    "urllib3": """
import json, sys, urllib3
body, headers = bytes(int(sys.argv[2])), json.loads(sys.argv[3])
answer = urllib3.request("POST", sys.argv[1], body=body, headers=headers, timeout=60, retries=False)
print(answer.status, answer.data.decode())
""",
    "httpx": """
import httpx, json, sys
answer = httpx.post(sys.argv[1], content=bytes(int(sys.argv[2])), headers=json.loads(sys.argv[3]), timeout=60)
print(answer.status_code, answer.text)
""",
}
NODE = """
const [url, length, headers] = process.argv.slice(1);
const answer = await fetch(url, {method: 'POST', body: new Uint8Array(Number(length)), headers: JSON.parse(headers)});
console.log(answer.status, await answer.text());
"""
CURL = {"curl": [], "curl without Expect": ["-H", "Expect:"], "curl, chunked": ["-H", "Transfer-Encoding: chunked"]}
CLIENTS = [*PYTHON, "node", *CURL]


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A file with one API key that may search alone, and the key."""
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    new = make_key("ada", ("search",))
    add_key(path, new.key)
    return path, new.token


@pytest.fixture(scope="module")
def strict(serve: Any) -> Iterator[str]:
    """A service that takes bodies of 10 MiB."""
    with serve() as served:
        yield served.url
        served.expect_alive()


@pytest.fixture(scope="module")
def roomy(serve: Any, key_file: tuple[Path, str]) -> Iterator[str]:
    """A service with keys, and with room for the body."""
    with serve(INKSEEK_KEYS_FILE=str(key_file[0]), INKSEEK_MAX_UPLOAD_BYTES=str(2 * BYTES)) as served:
        yield served.url
        served.expect_alive()


def command(client: str, url: str, headers: dict[str, str], folder: Path) -> list[str]:
    if client in PYTHON:
        return [sys.executable, "-c", PYTHON[client], url, str(BYTES), json.dumps(headers)]
    program = client.split()[0].strip(",")
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    if program == "node":
        return ["node", "--input-type=module", "-e", NODE, url, str(BYTES), json.dumps(headers)]
    (folder / "body").write_bytes(bytes(BYTES))
    sent = [option for name, value in headers.items() for option in ("-H", f"{name}: {value}")]
    shown = ["--write-out", "\n%{http_code}", "--silent", "--show-error", "--no-progress-meter"]
    return ["curl", *shown, *CURL[client], *sent, "--data-binary", f"@{folder / 'body'}", url]


def answered(client: str, url: str, headers: dict[str, str], folder: Path) -> tuple[int, dict[str, Any]]:
    sent = command(client, url, headers, folder)
    done = subprocess.run(sent, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    if client.startswith("curl"):
        body, _, status = done.stdout.rpartition("\n")
    else:
        status, _, body = done.stdout.partition(" ")
    problem: dict[str, Any] = json.loads(body)
    return int(status), problem


@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_reads_that_its_body_is_too_large(strict: str, client: str, tmp_path: Path) -> None:
    status, problem = answered(client, strict + "/v1/search", {}, tmp_path)
    assert (status, problem["code"]) == (413, "body_too_large")


ANSWERED_EARLY: dict[str, tuple[dict[str, str], str, int, str]] = {
    "no key": ({}, "/v1/search", 401, "key_required"),
    "a wrong key": ({"X-API-Key": "wrong"}, "/v1/search", 401, "key_invalid"),
    "no scope": ({"X-API-Key": "KEY"}, "/v1/categories/box/adapters", 403, "access_denied"),
    "another site": ({"X-API-Key": "KEY", "Origin": "https://evil.example"}, "/v1/search", 403, "cross_site"),
    "another coding": ({"X-API-Key": "KEY", "Content-Encoding": "br"}, "/v1/preview", 415, "encoding_unsupported"),
    "no such route": ({"X-API-Key": "KEY"}, "/v1/serch", 404, "not_found"),
    "a wrong method": ({"X-API-Key": "KEY"}, "/v1/info", 405, "method_not_allowed"),
}


@pytest.mark.parametrize("name", ANSWERED_EARLY)
def test_what_is_answered_before_the_body_is_read(
    roomy: str, key_file: tuple[Path, str], name: str, tmp_path: Path
) -> None:
    headers, path, status, code = ANSWERED_EARLY[name]
    headers = {header: value.replace("KEY", key_file[1]) for header, value in headers.items()}
    got, problem = answered("http.client", roomy + path, headers, tmp_path)
    assert (got, problem["code"]) == (status, code)


def test_who_sends_too_often_reads_it(serve: Any, tmp_path: Path) -> None:
    with serve(INKSEEK_RATE_LIMIT="1/hour", INKSEEK_MAX_UPLOAD_BYTES=str(2 * BYTES)) as served:
        results = [answered("http.client", served.url + "/v1/search", {}, tmp_path) for _ in range(2)]
    assert (results[1][0], results[1][1]["code"]) == (429, "rate_limited")
