"""Which answers are compressed, and that they are the same once they are decoded."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from service.http.edge.compression import SMALLEST_BYTES, Compression, accepts_gzip

JSON = (b"content-type", b"application/json")
TEXT = b"a drawing of a running shoe, " * 500


def answered(
    *pieces: bytes, accept: str | None = "gzip", status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = (JSON,)
) -> tuple[list[tuple[bytes, bytes]], list[bytes]]:
    """Headers and pieces of an answer that was made of `pieces`."""
    sent: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        length = (b"content-length", str(sum(map(len, pieces))).encode())
        await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
        for number, piece in enumerate(pieces, 1):
            await send({"type": "http.response.body", "body": piece, "more_body": number < len(pieces)})

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    scope["headers"] = [] if accept is None else [(b"accept-encoding", accept.encode())]
    asyncio.run(Compression(app)(scope, receive, send))
    return sent[0]["headers"], [message["body"] for message in sent[1:]]


@pytest.mark.parametrize("pieces", [(TEXT,), (TEXT[:SMALLEST_BYTES],), (TEXT, TEXT), (b"", b"ab", TEXT, b"")])
@pytest.mark.parametrize("media_type", ["application/json", "text/html; charset=utf-8", "image/svg+xml", "text/css"])
def test_text_is_compressed_whole_or_in_pieces(pieces: tuple[bytes, ...], media_type: str) -> None:
    headers, sent = answered(*pieces, headers=((b"content-type", media_type.encode()),))
    assert gzip.decompress(b"".join(sent)) == b"".join(pieces)
    found = dict(headers)
    assert (found[b"content-encoding"], found[b"vary"]) == (b"gzip", b"accept-encoding")
    if len(pieces) == 1:
        assert int(found[b"content-length"]) == len(sent[0]) < len(pieces[0]) / 2
    else:
        assert b"content-length" not in found


@pytest.mark.parametrize(
    ("body", "status", "headers"),
    [
        (TEXT[: SMALLEST_BYTES - 1], 200, (JSON,)),  # small
        (TEXT, 200, ((b"content-type", b"image/png"),)),
        (TEXT, 200, ((b"content-type", b"image/jpeg"),)),
        (TEXT, 200, ((b"content-type", b"application/octet-stream"),)),
        (TEXT, 200, ()),
        (TEXT, 206, (JSON, (b"content-range", b"bytes 0-9/10"))),
        (TEXT, 200, (JSON, (b"content-encoding", b"br"))),
        (TEXT, 200, (JSON, (b"cache-control", b"public, no-transform"))),
        (b"", 204, (JSON,)),
        (b"", 304, (JSON, (b"etag", b'"a"'))),
    ],
)
def test_what_stays_as_it_is(body: bytes, status: int, headers: tuple[tuple[bytes, bytes], ...]) -> None:
    found, sent = answered(body, status=status, headers=headers)
    assert sent == [body]
    assert found == [*headers, (b"content-length", str(len(body)).encode())]


def test_a_cache_learns_that_there_are_two_forms() -> None:
    for accept in (None, "br", "gzip;q=0"):
        headers, sent = answered(TEXT, accept=accept, headers=(JSON, (b"etag", b'"a"')))
        assert sent == [TEXT]
        assert dict(headers)[b"vary"] == b"accept-encoding"
        assert dict(headers)[b"etag"] == b'"a"'


def test_a_tag_becomes_weak_and_no_parts_are_promised() -> None:
    for sent, kept in ((b'"a"', b'W/"a"'), (b'W/"a"', b'W/"a"')):
        headers, _ = answered(TEXT, headers=(JSON, (b"etag", sent), (b"accept-ranges", b"bytes")))
        assert dict(headers)[b"etag"] == kept
        assert b"accept-ranges" not in dict(headers)


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True), ("GZIP", True), ("x-gzip", True), ("br, gzip;q=0.5", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("*", True), ("gzip ; q=0.001", True), ("gzip;q=0", False), ("gzip; q=0.000", False), ("*;q=0", False),
        ("*, gzip;q=0", False), ("br", False), ("identity", False), ("", False), ("gzipped", False),
        ("gzip;q=x", False),
    ],
)  # fmt: skip
def test_what_a_client_accepts(header: str, accepted: bool) -> None:
    assert accepts_gzip(header.encode()) is accepted
