"""The page's document and its files: language, compression, validators, how long they may be kept."""

from __future__ import annotations

import gzip
import re

import pytest
from starlette.testclient import TestClient


def built(client: TestClient) -> list[str]:
    names = re.findall(r'"(page/built/[^"]+)"', client.get("/").text)
    assert [name.rsplit(".", 1)[1] for name in names] == ["css", "js"]
    return [f"/{name}" for name in names]


@pytest.mark.parametrize(
    ("headers", "query", "language"),
    [
        ({}, "", "en"),
        ({"Accept-Language": "de-DE,de;q=0.9"}, "", "de"),
        ({"Accept-Language": "de", "Cookie": "inkseek-language=en"}, "", "en"),
        ({"Cookie": "inkseek-language=en"}, "?lang=de", "de"),
        ({"Cookie": "inkseek-language=../../etc/passwd"}, "?lang=xx&category=lamps", "en"),
    ],
)
def test_the_document_is_in_the_language_asked_for(
    client: TestClient, headers: dict[str, str], query: str, language: str
) -> None:
    answer = client.get(f"/{query}", headers=headers)
    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.text
    assert answer.headers["Content-Language"] == language
    assert {"Accept-Language", "Cookie"} <= set(answer.headers["Vary"].replace(" ", "").split(","))
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_the_document_is_revalidated(client: TestClient) -> None:
    first = client.get("/")
    again = client.get("/", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get("/?lang=de", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


def test_files_are_kept_for_good_under_a_name_of_their_contents(client: TestClient) -> None:
    for path in built(client):
        answer = client.get(path)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Content-Type"].startswith("text/")
        other = re.sub(r"-[0-9a-f]{16}\.", "-0123456789abcdef.", path)
        missing = client.get(other)  # of another release: this one must not take its place
        assert missing.status_code == 404
        assert "immutable" not in missing.headers.get("Cache-Control", "")


@pytest.mark.parametrize(
    ("accepted", "zipped"),
    [("gzip", True), ("br, gzip;q=0.5", True), ("gzip;q=0, br", False), ("gzip;q=0.0", False), ("identity", False)],
)
def test_files_are_compressed_when_asked(client: TestClient, accepted: str, zipped: bool) -> None:
    path = built(client)[1]
    with client.stream("GET", path, headers={"Accept-Encoding": accepted}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers.get("Content-Encoding") == ("gzip" if zipped else None)
    assert "Accept-Encoding" in answer.headers["Vary"]
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    assert (gzip.decompress(raw) if zipped else raw) == plain.content
