"""Bodies with a Content-Encoding: the same sketches within the same limits, or named."""

from __future__ import annotations

import gzip
import zlib

import httpx
import pytest
from starlette.testclient import TestClient


def test_compressed_bodies_are_sketches_within_the_same_limits(client: TestClient, cross: bytes) -> None:
    plain = client.post("/v1/search", content=cross).json()["results"]
    for coding, compress in (("gzip", gzip.compress), ("deflate", zlib.compress)):
        response = client.post("/v1/search", content=compress(cross), headers={"content-encoding": coding})
        assert response.json()["results"] == plain
        response = client.post("/v1/search", content=compress(bytes(200_001)), headers={"content-encoding": coding})
        assert (response.status_code, response.json()["code"]) == (413, "body_too_large")
    request = httpx.Request("POST", "http://test", files={"sketch": cross})
    headers = {"content-type": request.headers["content-type"], "content-encoding": "gzip"}
    response = client.post("/v1/search", content=gzip.compress(request.read()), headers=headers)
    assert response.json()["results"] == plain


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, br"])
def test_other_codings_are_named_with_those_that_are_accepted(client: TestClient, cross: bytes, coding: str) -> None:
    response = client.post("/v1/search", content=cross, headers={"content-encoding": coding})
    assert (response.status_code, response.json()["code"]) == (415, "encoding_unsupported")
    assert response.headers["accept-encoding"] == "gzip, deflate"
    assert coding in response.json()["detail"]


def test_what_says_it_is_gzip_and_is_not(client: TestClient, cross: bytes) -> None:
    response = client.post("/v1/search", content=cross, headers={"content-encoding": "gzip"})
    assert (response.status_code, response.json()["code"]) == (422, "body_invalid")
    assert "not valid gzip" in response.json()["detail"]
