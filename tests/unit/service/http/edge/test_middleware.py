"""What is done for every request: id, body limit, figures, security headers, and a problem where nobody foresaw one."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from service.http.edge.failures import Failures
from service.http.edge.overload import Overload
from service.http.edge.request_body import BodyLimits, RequestBody
from service.http.edge.request_scope import RequestScope, adopt_request_id
from service.runtime.logs import current_request_id
from service.runtime.metrics import Metrics


def request(method: str = "POST", path: str = "/v1/search", headers: tuple[tuple[bytes, bytes], ...] = ()) -> Scope:
    return {"type": "http", "method": method, "path": path, "headers": list(headers)}


def sent_by(app: ASGIApp, scope: Scope, *chunks: bytes) -> list[Any]:
    """The messages that a request of those body chunks is answered with."""
    sent: list[Any] = []
    rest = [
        {"type": "http.request", "body": chunk, "more_body": number < len(chunks) - 1}
        for number, chunk in enumerate(chunks or (b"",))
    ]

    async def receive() -> Any:
        return rest.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    return sent


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the whole body and answers its length."""
    length, more = 0, True
    while more:
        message = await receive()
        length += len(message["body"])
        more = message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(length).encode()})


def test_other_protocols_pass() -> None:
    seen = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    metrics = Metrics()
    for middleware in (
        RequestBody(app, BodyLimits(1)),
        RequestScope(app, metrics, access_log=True),
        Overload(app),
        Failures(app),
    ):
        sent_by(middleware, {"type": "lifespan"})
    assert seen == ["lifespan"] * 4


@pytest.mark.parametrize(
    ("sent", "kept"),
    [(b"r-1", True), (b"a" * 128, True), (b"a" * 129, False), (b"two words", False), (b'"quoted"', False),
     (b"line\nbreak", False), (b"", False), ("ü".encode(), False)],
)  # fmt: skip
def test_a_request_id_is_taken_only_when_it_is_sane(sent: bytes, kept: bool) -> None:
    request_id = adopt_request_id([(b"accept", b"*/*"), (b"x-request-id", sent)])
    assert (request_id == sent.decode("utf-8", "replace")) == kept
    assert current_request_id() == request_id
    assert kept or (len(request_id) == 16 and int(request_id, 16) >= 0)


def headers_of(message: Any) -> dict[bytes, bytes]:
    return dict(message["headers"])


def test_every_response_is_marked_counted_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    with caplog.at_level(logging.INFO, "inkseek.access"):
        sent = sent_by(RequestScope(answer, metrics, access_log=True), request(headers=((b"x-request-id", b"r-7"),)))
    headers = headers_of(sent[0])
    assert headers[b"x-request-id"] == b"r-7"
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert b"frame-ancestors 'none'" in headers[b"content-security-policy"]
    text = metrics.exposition().decode()
    assert 'inkseek_requests_total{method="any",route="other",status="200"} 1.0' in text
    assert "inkseek_in_flight 0.0" in text
    (record,) = caplog.records
    assert (record.method, record.path, record.status) == ("POST", "/v1/search", 200)  # type: ignore[attr-defined]


def test_a_head_request_is_routed_as_a_get() -> None:
    seen = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["method"])
        await answer(scope, receive, send)

    sent_by(RequestScope(app, Metrics(), access_log=False), request("HEAD"))
    assert seen == ["GET"]


def failing(after_start: bool) -> Callable[[Scope, Receive, Send], Any]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if after_start:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("/secret/path broke")

    return app


def test_what_nobody_foresaw_is_a_problem_without_details(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    sent = sent_by(RequestScope(Failures(failing(False)), metrics, access_log=False), request())
    assert sent[0]["status"] == 500
    assert json.loads(sent[1]["body"])["code"] == "internal_error"
    assert b"secret" not in sent[1]["body"]
    assert headers_of(sent[0])[b"x-request-id"]
    assert "/v1/search failed" in caplog.text and "secret" in caplog.text
    assert 'status="500"} 1.0' in metrics.exposition().decode()


def test_half_an_answer_cuts_the_connection() -> None:
    metrics = Metrics()
    with pytest.raises(RuntimeError, match="broke"):
        sent_by(RequestScope(Failures(failing(True)), metrics, access_log=False), request())
    assert "inkseek_in_flight 0.0" in metrics.exposition().decode()


def test_a_client_that_hangs_up_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ClientDisconnect

    metrics = Metrics()
    assert sent_by(RequestScope(Failures(app), metrics, access_log=False), request()) == []
    assert 'status="499"} 1.0' in metrics.exposition().decode()
    assert not caplog.records


def test_an_error_in_plain_text_becomes_a_problem() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/plain"), (b"content-range", b"bytes */9"), (b"content-length", b"3")]
        await send({"type": "http.response.start", "status": 416, "headers": headers})
        await send({"type": "http.response.body", "body": b"no!"})

    sent = sent_by(RequestScope(app, Metrics(), access_log=False), request("GET", "/x"))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    headers, document = headers_of(sent[0]), json.loads(sent[1]["body"])
    assert (sent[0]["status"], document["status"], document["code"]) == (416, 416, "range_not_satisfiable")
    assert (headers[b"content-type"], headers[b"content-range"]) == (b"application/problem+json", b"bytes */9")
    assert int(headers[b"content-length"]) == len(sent[1]["body"])
