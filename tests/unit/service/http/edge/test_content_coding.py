"""Bodies that clients compress: decoded within the limits of any body, or named."""

from __future__ import annotations

import asyncio
import gzip
import time
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from service.errors import BodiesTooLarge, BodyInvalid, BodyTooLarge, EncodingUnsupported
from service.http.edge.content_coding import Decoder, coding_of
from service.http.edge.request_body import BodyLimits, RequestBody

MIB = 2**20


def bare(data: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(data) + deflater.flush()


CODERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "bare deflate": ("deflate", bare),
}


def received(coding: str, *chunks: bytes, limits: BodyLimits | None = None) -> tuple[int, bytes]:
    """Status and body of the answer of a service that answers what it was sent."""
    answered: list[Any] = []
    left = list(chunks)

    async def echo(scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message["body"]
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    async def receive() -> Message:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message: Message) -> None:
        answered.append(message)

    headers = [(b"transfer-encoding", b"chunked"), (b"content-encoding", coding.encode())]
    scope: Scope = {"type": "http", "method": "POST", "path": "/v1/search", "headers": headers}
    asyncio.run(RequestBody(echo, limits or BodyLimits(MIB))(scope, receive, send))
    return answered[0]["status"], answered[1]["body"]


@pytest.mark.parametrize("name", CODERS)
@given(data=st.binary(max_size=2_000), cut=st.integers(0, 2_000))
def test_what_arrives_is_what_was_compressed(name: str, data: bytes, cut: int) -> None:
    coding, compress = CODERS[name]
    sent = compress(data)
    assert received(coding, sent[:cut], sent[cut:], b"") == (200, data)


@pytest.mark.parametrize("name", CODERS)
@pytest.mark.parametrize("size", [2**18 - 1, 2**18, 2**18 + 1, 2**20])
def test_nothing_is_lost_where_a_piece_is_full(name: str, size: int) -> None:
    coding, compress = CODERS[name]
    status, body = received(coding, compress(bytes(size)))
    assert (status, len(body)) == (200, size)


@pytest.mark.parametrize("header", ["gzip", "GZIP", "x-gzip", " gzip ", "identity, gzip"])
def test_names_of_one_coding(header: str) -> None:
    assert coding_of(header.encode()) == "gzip"


def test_a_body_as_it_is() -> None:
    assert coding_of(b"identity") is None and coding_of(b" , ") is None
    assert received("identity", b"as it is") == (200, b"as it is")


@pytest.mark.parametrize("header", ["br", "zstd", "compress", "gzip, gzip", "gzip, br", "aws-chunked", "ümlaut"])
def test_other_codings_are_named(header: str) -> None:
    with pytest.raises(EncodingUnsupported, match="gzip or deflate"):
        coding_of(header.encode())
    assert received(header, b"anything")[0] == 415


@pytest.mark.parametrize("name", CODERS)
def test_a_bomb_ends_at_the_limit_of_a_body(name: str) -> None:
    coding, compress = CODERS[name]
    bomb = compress(bytes(200 * MIB))  # 200 kB
    started = time.process_time()
    with pytest.raises(BodyTooLarge, match="more than 1,048,576 bytes"):
        received(coding, bomb)
    assert time.process_time() - started < 0.2  # 0.01
    with pytest.raises(BodiesTooLarge):
        received(coding, bomb, limits=BodyLimits(100 * MIB, together_bytes=MIB))


def test_members_of_gzip_follow_each_other_but_not_any_number() -> None:
    several = gzip.compress(b"one") + gzip.compress(b"two") + bytes(512)
    assert received("gzip", several[:30], several[30:]) == (200, b"onetwo")
    with pytest.raises(BodyInvalid, match="more than 16"):
        received("gzip", gzip.compress(b"") * 17)


@pytest.mark.parametrize("name", CODERS)
def test_what_is_cut_or_broken_is_said(name: str) -> None:
    coding, compress = CODERS[name]
    whole = compress(b"a drawing of a shoe" * 9)
    for length in (0, 1, 5, len(whole) - 1):
        with pytest.raises(BodyInvalid, match="does not end"):
            received(coding, whole[:length])
    with pytest.raises(BodyInvalid, match=f"not valid {coding}"):
        received(coding, whole[: {"gzip": 10, "zlib": 2, "bare deflate": 0}[name]] + b"\x07" * 9)  # no such block
    with pytest.raises(BodyInvalid):
        received(coding, b"never compressed")
    with pytest.raises(BodyInvalid):
        received(coding, whole + b"and more")


@given(data=st.binary(max_size=300), coding=st.sampled_from(["gzip", "deflate"]))
def test_any_bytes_are_decoded_or_a_typed_error(data: bytes, coding: str) -> None:
    decoder = Decoder(coding)
    try:
        for _ in decoder.decoded(data):
            pass
        decoder.check_end()
    except BodyInvalid:
        pass
