"""Connections that mean harm: heads that are too large or never end, and too many of them."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

Answer = Callable[[socket.socket], tuple[int, bytes]]


@pytest.fixture(scope="module")
def few_files(serve: Any) -> Iterator[Any]:
    """A service that may have 256 files open, which leaves 160 connections."""
    with serve(files=256, INKSEEK_THREADS="2") as served:
        yield served
        served.expect_alive()


@pytest.mark.parametrize(
    ("head", "status", "code"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 101 + b"\r\n", 431, "head_too_large"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"b" * 70_000 + b"\r\n\r\n", 431, "head_too_large"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 431, "head_too_large"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"b" * 600_000, 431, "head_too_large"),
        (b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed"),
        (b"GET / HTTP/1.1\r\nHost a\r\n\r\n", 400, "malformed"),
        (b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "malformed"),
        (b"POST /v1/search HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "malformed"),
    ],
)
def test_what_is_no_acceptable_head_is_a_problem(
    few_files: Any, answer_of: Answer, head: bytes, status: int, code: str
) -> None:
    with few_files.connect(head) as connection:
        answer, body = answer_of(connection)
        assert answer == status, body
        document = json.loads(body)
        assert (document["code"], document["status"]) == (code, status)
        assert connection.recv(1) == b""  # and it is closed


def test_100_headers_of_64_kib_are_accepted(few_files: Any, answer_of: Answer) -> None:
    head = (
        b"GET /livez HTTP/1.1\r\nHost: a\r\n" + b"".join(b"A%d: %s\r\n" % (n, b"b" * 600) for n in range(99)) + b"\r\n"
    )
    with few_files.connect(head) as connection:
        assert answer_of(connection)[0] == 200


def test_endless_heads_cost_no_memory(few_files: Any) -> None:
    few_files.forget_peak()
    before, spent = few_files.memory_mib(), few_files.cpu_s()
    for line in (b"A: b\r\n", b"b"):
        with few_files.connect(b"GET / HTTP/1.1\r\nA: ") as connection, contextlib.suppress(OSError):
            for _ in range(60):
                connection.sendall(line * (2**20 // len(line)))
    assert few_files.memory_mib("VmHWM") - before < 16
    assert few_files.cpu_s() - spent < 0.5


def test_chunks_of_a_byte_each_are_rejected(few_files: Any, answer_of: Answer) -> None:
    spent = few_files.cpu_s()
    head = b"POST /v1/search HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    with few_files.connect(head) as connection, contextlib.suppress(OSError):
        for _ in range(100):
            connection.sendall(b"1\r\na\r\n" * 10_000)
    assert few_files.cpu_s() - spent < 0.5


def test_233_clients_that_never_end_their_heads_refuse_nobody(few_files: Any, cross: bytes) -> None:
    with contextlib.ExitStack() as stack:
        for number in range(233):
            sent = b"" if number % 3 == 0 else b"POST /v1/search HTTP/1.1\r\nHost: a\r\nX-A: b\r\n"
            stack.enter_context(few_files.connect(sent))
        for _ in range(5):
            began = time.monotonic()
            assert httpx.post(few_files.url + "/v1/search", content=cross, timeout=10).status_code == 200
            assert httpx.get(few_files.url + "/livez", timeout=10).status_code == 200
            assert time.monotonic() - began < 5  # 0.05 to 0.2 s on two idle cores; they were refused for 75 s


def test_a_head_has_ten_seconds(few_files: Any, answer_of: Answer) -> None:
    began = time.monotonic()
    silent, dripping, newlines = few_files.connect(), few_files.connect(b"GET /livez HTTP/1.1\r\n"), few_files.connect()
    with silent, dripping, newlines:
        for _ in range(12):
            time.sleep(1)
            for connection, drop in ((dripping, b"A: b\r\n"), (newlines, b"\r\n")):
                with contextlib.suppress(OSError):
                    connection.sendall(drop)
            if time.monotonic() - began > 7:  # a drop that came after the answer would reset the connection
                break
        assert answer_of(silent)[0] == 0
        status, body = answer_of(dripping)
        assert (status, json.loads(body)["code"]) == (408, "head_timeout")
        with contextlib.suppress(ConnectionError):
            assert answer_of(newlines)[0] == 0
    assert time.monotonic() - began < 20  # 10.0 s on idle cores; the connections themselves would wait for 20 s


def test_requests_sent_ahead_are_answered_in_turn_but_not_any_number(few_files: Any, answer_of: Answer) -> None:
    request = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
    with few_files.connect(request * 8) as connection:
        data = b""
        while data.count(b'{"status":"alive"}') < 8:
            piece = connection.recv(65536)
            assert piece, data
            data += piece
        assert data.count(b"HTTP/1.1 200") == 8
    few_files.forget_peak()
    before = few_files.memory_mib()
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(few_files.connect(request * 1500)) for _ in range(40)]
        assert [answer_of(connection)[0] for connection in connections] == [200] * 40
    assert few_files.memory_mib("VmHWM") - before < 32
