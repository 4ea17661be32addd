"""A search that its connection answers is answered as through the layers: head, body, counters, and in its turn."""

from __future__ import annotations

import base64
import gzip
import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from service.app import create_app
from service.config import Settings
from service.http.express.kinds import OfVector
from service.http.forms.body import Upload

PLAIN = [(b"host", b"localhost"), (b"content-type", b"image/png"), (b"content-length", b"20")]


@pytest.fixture(scope="module")
def served(serve: Any) -> Iterator[Any]:
    with serve(INKSEEK_THREADS="1", INKSEEK_REQUEST_TIMEOUT_S="20") as running:
        yield running
        running.expect_alive()


def chunked(path: str, body: bytes, *headers: str) -> bytes:
    """The same request as one that only the layers answer."""
    lines = [f"POST {path} HTTP/1.1", "Host: test", "Transfer-Encoding: chunked", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


def parted(connection: socket.socket) -> tuple[dict[bytes, bytes], dict[str, Any]]:
    """The head of one answer, by name, its status line under ""; and its document."""
    data = b""
    while b"\r\n\r\n" not in data or len(data.partition(b"\r\n\r\n")[2]) < length(data):
        piece = connection.recv(65536)
        assert piece, data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    assert len(body) == length(data)
    status, *lines = head.split(b"\r\n")
    headers = {name: value for name, _, value in (line.partition(b": ") for line in lines)}
    document = json.loads(gzip.decompress(body) if b"content-encoding" in headers else body)
    return headers | {b"": status}, document


def length(data: bytes) -> int:
    found = re.search(rb"content-length: (\d+)", data)
    return int(found[1]) if found else 0


def comparable(headers: dict[bytes, bytes], document: dict[str, Any]) -> tuple[dict[bytes, bytes], dict[str, Any]]:
    """Without what differs from one answer to the next."""
    kept = {name: value for name, value in headers.items() if name not in (b"date", b"content-length")}
    if "request_id" in document:
        assert document["request_id"].encode() == kept[b"x-request-id"]
    if len(kept[b"x-request-id"]) == 16:
        kept[b"x-request-id"] = b""
    return kept, {name: value for name, value in document.items() if name not in ("timings_ms", "request_id")}


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/search", ()),
        ("/v1/search?k=2&category=box", ()),
        ("/v1/search", ("Accept-Encoding: br;q=1, gzip",)),
        ("/v1/search?k=0", ()),
        ("/v1/search?kk=3", ()),
        ("/v1/search?category=none", ()),
        ("/v1/search?k=2#part", ()),
        ("/v1/search", ("X-Request-ID: mine-1",)),
        ("/v1/search", ("X-Request-ID: not sane",)),
        ("/v1/search", ("Sec-Fetch-Site: cross-site", "Origin: https://a.example")),
        ("/v1/search", ("Host: other",)),
        ("/v1/search", ("X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: https", "X-Forwarded-Prefix: /find")),
        ("/v1/search", ("X-Forwarded-For: 203.0.113.7",)),
        ("/v1/search/", ()),
    ],
)
@pytest.mark.parametrize("kind", ["drawing", "empty", "text", "strokes"])
def test_both_ways_give_the_same_answer(
    served: Any,
    raw_post: Callable[..., bytes],
    cross: bytes,
    encoded: Callable[..., bytes],
    kind: str,
    path: str,
    headers: tuple[str, ...],
) -> None:
    body = {
        "drawing": cross,
        "empty": encoded(Image.new("L", (64, 64), 255)),
        "text": b"no image at all",
        "strokes": b'{"strokes": [[[0, 0], [9, 9]], [[0, 9], [9, 0]]]}',
    }[kind]
    with served.connect(raw_post(path, body, *headers)) as one, served.connect(chunked(path, body, *headers)) as other:
        assert comparable(*parted(one)) == comparable(*parted(other))


@pytest.mark.parametrize(
    "query", ["", "k=2", "k=0", "kk=3", "category=box", "profile=nobody", "profile=@key", "focus=none"]
)
@pytest.mark.parametrize("kind", ["float16", "json", "text", "short", "other"])
def test_a_vector_is_answered_the_same_both_ways(
    served: Any, raw_post: Callable[..., bytes], kind: str, query: str
) -> None:
    with served.client() as client:
        encoder = client.get("/v1/encoder").json()
    vector = np.random.default_rng(3).standard_normal(encoder["embedding_dim"])
    vector /= np.linalg.norm(vector)
    bundle = "nobody-knows-it" if kind == "other" else encoder["bundle_id"]
    sent = {"bundle": bundle, "vector": base64.b64encode(vector.astype("<f2").tobytes()).decode()}
    is_json = kind in ("json", "text")
    body = {
        "json": json.dumps(sent).encode(),
        "text": b"no JSON",
        "short": vector.astype("<f2").tobytes()[:-8],
    }
    headers = ("Content-Type: application/json" if is_json else "Content-Type: application/octet-stream",)
    path = "/v1/search:vector?" + "&".join(filter(None, (query, "" if is_json else f"bundle={bundle}")))
    content = body.get(kind, vector.astype("<f2").tobytes())
    one_way, other_way = raw_post(path, content, *headers), chunked(path, content, *headers)
    with served.connect(one_way) as one, served.connect(other_way) as other:
        assert comparable(*parted(one)) == comparable(*parted(other))


def test_a_vector_is_plain_where_short_work_is_done_on_the_loop(make_settings: Callable[..., Settings]) -> None:
    for threads in (1, 2):
        with TestClient(create_app(make_settings(threads=threads))) as client:
            process, encoder = client.app.state.process, client.get("/v1/encoder").json()  # type: ignore[attr-defined]
            upload = Upload(np.ones(encoder["embedding_dim"], "<f2").tobytes(), "application/octet-stream")
            query = f"bundle={encoder['bundle_id']}&k=2".encode()
            plain = OfVector().read(process, query, upload)
            assert (plain is not None) == (threads == 1) == process.workers.on_loop
            assert OfVector().read(process, query + b"&category=box", upload) is None


def counted(served: Any, status: int) -> float:
    with served.client() as client:
        text = client.get("/metrics").text
    found = re.search(rf'inkseek_requests_total{{method="POST",route="/v1/search",status="{status}"}} (\S+)', text)
    flying = re.search(r"^inkseek_in_flight (\S+)", text, re.MULTILINE)
    assert flying and float(flying[1]) == 1.0  # this very request for the metrics
    return float(found[1]) if found else 0.0


def test_each_is_counted_before_it_is_received(served: Any, raw_post: Callable[..., bytes], cross: bytes) -> None:
    before = counted(served, 200)
    with served.connect() as connection:
        for number in range(1, 4):
            connection.sendall(raw_post("/v1/search", cross))
            parted(connection)
            assert counted(served, 200) == before + number


def test_requests_sent_ahead_are_answered_in_their_order(
    served: Any, raw_post: Callable[..., bytes], cross: bytes
) -> None:
    sent = [raw_post("/v1/search", cross, f"X-Request-ID: n{number}") for number in range(3)]
    sent.insert(1, b"GET /livez HTTP/1.1\r\nHost: test\r\nX-Request-ID: live\r\n\r\n")
    with served.connect(b"".join(sent)) as connection:
        data = b""
        while len(re.findall(rb"x-request-id: ", data)) < 4 or not data.endswith((b"}", b"\n")):
            data += connection.recv(65536)
    assert re.findall(rb"x-request-id: (\S+)", data) == [b"n0", b"live", b"n1", b"n2"]


@pytest.mark.parametrize("pause_s", [0.01, 0.3])
def test_a_body_may_come_apart_from_its_head(
    served: Any, raw_post: Callable[..., bytes], cross: bytes, pause_s: float
) -> None:
    request = raw_post("/v1/search", cross)
    with served.connect() as connection:
        for piece in (request[:-700], request[-700:-100], request[-100:], request):
            connection.sendall(piece)
            time.sleep(pause_s)
        for _ in range(2):
            headers, document = parted_one(connection)
            assert headers.startswith(b"HTTP/1.1 200") and document["results"]


def parted_one(connection: socket.socket) -> tuple[bytes, dict[str, Any]]:
    """One answer, of several that may be there."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(1)
    left = length(data)
    body = b""
    while len(body) < left:
        body += connection.recv(left - len(body))
    return data, json.loads(body)


def test_a_body_that_never_ends_is_408(serve: Any, raw_post: Callable[..., bytes], cross: bytes) -> None:
    with serve() as served, served.connect(raw_post("/v1/search", cross)[:-5], timeout_s=60) as connection:
        headers, document = parted(connection)
        assert headers[b""].startswith(b"HTTP/1.1 408") and document["code"] == "body_timeout"


def test_clients_that_leave_cost_the_others_nothing(served: Any, raw_post: Callable[..., bytes], cross: bytes) -> None:
    with ExitStack() as stack:
        connections = [stack.enter_context(served.connect(raw_post("/v1/search", cross))) for _ in range(12)]
        for connection in connections[::2]:
            connection.close()
        for connection in connections[1::2]:
            assert parted(connection)[0][b""] == b"HTTP/1.1 200 OK"
    assert counted(served, 200) > 0  # and nothing is in flight any more


def test_what_is_not_plain_goes_through_the_layers(make_settings: Callable[..., Settings]) -> None:
    express = create_app(make_settings()).state.express
    assert express.takes(b"POST", b"/v1/search", PLAIN)
    assert express.takes(b"POST", b"/v1/search?k=3", [*PLAIN, (b"origin", b"https://a.example")])
    assert express.takes(b"POST", b"/v1/search:vector?k=3", PLAIN)
    for method, target, headers in (
        (b"GET", b"/v1/search", PLAIN),
        (b"POST", b"/v1/search:batch", PLAIN),
        (b"POST", b"/v1/searching", PLAIN),
        (b"POST", b"/v1/search", [*PLAIN, (b"expect", b"100-continue")]),
        (b"POST", b"/v1/search", [*PLAIN, (b"content-encoding", b"gzip")]),
        (b"POST", b"/v1/search", [*PLAIN[:2], (b"transfer-encoding", b"chunked")]),
        (b"POST", b"/v1/search", [*PLAIN[:2], (b"content-length", b"65537")]),
        (b"POST", b"/v1/search", PLAIN[:2]),
    ):
        assert not express.takes(method, target, headers)


def test_settings_that_change_every_answer_switch_it_off(make_settings: Callable[..., Settings]) -> None:
    assert create_app(make_settings(root_path="/find")).state.express is None
    express = create_app(make_settings(cors_origins=("https://a.example",))).state.express
    assert express.takes(b"POST", b"/v1/search", PLAIN)
    assert not express.takes(b"POST", b"/v1/search", [*PLAIN, (b"origin", b"https://a.example")])
    small = create_app(make_settings(max_upload_bytes=1024)).state.express
    assert not small.takes(b"POST", b"/v1/search", [*PLAIN[:2], (b"content-length", b"1025")])
