"""When calls are sent again: the decisions by themselves, and clients over transports that fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from inkseek_client import (
    AsyncClient,
    Client,
    Conflict,
    InkseekClientError,
    Retries,
    ServiceProblem,
    TimedOut,
    TryLater,
    Unreachable,
)
from inkseek_client.problems import error_of_answer
from inkseek_client.retries import retry_after_s

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
ANSWER: dict[str, Any] = {"categories": [{"category": "shoe", "count": 3}], "total": 3}
_TEXTS = dict.fromkeys(("stage", "detail", "created_by", "created_at", "updated_at"), "")
JOB_DOCUMENT: dict[str, Any] = {
    **_TEXTS,
    "job_id": "job-1",
    "kind": "rebuild",
    "state": "queued",
    "done": 0,
    "failed": 0,
}


def problem(status: int, code: str, retry_after: str | None = None) -> httpx.Response:
    document = {"type": "about:blank", "title": "T", "status": status, "detail": "D", "code": code}
    return httpx.Response(status, json=document, headers={} if retry_after is None else {"Retry-After": retry_after})


class Script:
    """A transport that answers with each of `steps` in turn and counts the requests; exceptions are raised."""

    def __init__(self, *steps: httpx.Response | Exception) -> None:
        self.steps = list(steps)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


def client_of(script: Script, **options: Any) -> Client:
    return Client("http://inkseek.test", transport=httpx.MockTransport(script), **options)


def answered(document: object, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=document)


def error_with(status: int, code: str, after_s: float | None = None) -> ServiceProblem:
    return error_of_answer(status, problem(status, code).content, after_s)


@pytest.mark.parametrize("status", [429, 503, 502, 504])
def test_an_idempotent_call_is_sent_again_after_what_may_pass(status: int) -> None:
    script = Script(problem(status, "busy", "0"), answered(ANSWER))
    with client_of(script) as client:
        assert client.categories().total == 3
    assert len(script.requests) == 2


@pytest.mark.parametrize("code", ["queue_full", "rate_limited", "not_ready"])
def test_a_change_is_sent_again_where_the_service_did_nothing(code: str) -> None:
    script = Script(problem(503, code, "0"), answered(JOB_DOCUMENT, 202))
    with client_of(script) as client:
        assert client.rebuild_index().job_id == "job-1"
    assert len(script.requests) == 2


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (problem(503, "deadline_exceeded", "0"), TryLater),  # it may have been done
        (problem(502, "http_error", "0"), ServiceProblem),
        (problem(409, "jobs_limit"), Conflict),
        (httpx.ReadTimeout("slow"), TimedOut),
        (httpx.ReadError("reset"), Unreachable),
    ],
)
def test_a_change_is_sent_once_where_nobody_knows(step: httpx.Response | Exception, kind: type[Exception]) -> None:
    script = Script(step, answered(JOB_DOCUMENT, 202))
    with client_of(script) as client, pytest.raises(kind):
        client.rebuild_index()
    assert len(script.requests) == 1


def test_a_change_is_sent_again_where_no_connection_was_made() -> None:
    script = Script(httpx.ConnectError("refused"), answered(JOB_DOCUMENT, 202))
    with client_of(script, retries=Retries(backoff_s=0.0)) as client:
        client.rebuild_index()
    assert len(script.requests) == 2


def test_a_body_is_sent_whole_each_time() -> None:
    found = {"results": [], "bundle_id": "b", "index_version": "1", "timings_ms": {"total": 1.0}}
    script = Script(httpx.ReadError("reset"), problem(429, "queue_full", "0"), answered(found))
    with client_of(script, retries=Retries(backoff_s=0.0)) as client:
        client.search(b"a drawing", k=3, category=["shoe", "hat"], exact=True)
    assert [request.content for request in script.requests] == [b"a drawing"] * 3
    assert script.requests[-1].url.query == b"k=3&category=shoe&category=hat&exact=true"


def test_attempts_are_bounded() -> None:
    script = Script(*(problem(429, "rate_limited", "0") for _ in range(9)))
    with client_of(script, retries=Retries(attempts=3)) as client, pytest.raises(TryLater) as caught:
        client.categories()
    assert (len(script.requests), caught.value.retry_after_s, caught.value.code) == (3, 0.0, "rate_limited")


def test_a_wait_beyond_the_bound_is_the_callers() -> None:
    script = Script(problem(429, "rate_limited", "31"), answered(ANSWER))
    with client_of(script) as client, pytest.raises(TryLater) as caught:
        client.categories()
    assert (len(script.requests), caught.value.retry_after_s) == (1, 31.0)


def test_the_asynchronous_client_decides_the_same_way() -> None:
    async def run(call: Callable[[AsyncClient], Any], *steps: httpx.Response | Exception) -> int:
        script = Script(*steps)
        transport = httpx.MockTransport(script)
        async with AsyncClient("http://inkseek.test", transport=transport, retries=Retries(backoff_s=0.0)) as client:
            try:
                await call(client)
            except InkseekClientError:
                return -len(script.requests)
        return len(script.requests)

    again = (httpx.ReadError("reset"), problem(503, "queue_full", "0"))
    assert asyncio.run(run(lambda client: client.categories(), *again, answered(ANSWER))) == 3
    assert asyncio.run(run(lambda client: client.rebuild_index(), *again, answered(JOB_DOCUMENT, 202))) == -1


def test_waits_follow_retry_after_and_else_double() -> None:
    retries = Retries(attempts=9, max_wait_s=10.0, backoff_s=0.5)
    longest = [
        retries.wait_s(error_with(503, "x"), n, idempotent=True, uniform=lambda low, high: high) for n in range(1, 7)
    ]
    assert longest == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert retries.wait_s(error_with(503, "x", 7.5), 1, idempotent=False) == 7.5
    assert retries.wait_s(error_with(503, "x", 10.5), 1, idempotent=True) is None
    assert retries.wait_s(error_with(503, "x", 0.0), 9, idempotent=True) is None


def test_bounds_that_make_no_sense_are_rejected() -> None:
    for wrong in ({"attempts": 0}, {"max_wait_s": -1.0}, {"backoff_s": -0.1}):
        with pytest.raises(ValueError, match="attempts"):
            Retries(**wrong)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("2", 2.0),
        ("soon", None),
        ("-1", None),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header, NOW) == seconds
