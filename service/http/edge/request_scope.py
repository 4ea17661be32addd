"""What is done for every request, as plain ASGI: id, metrics, log line, security headers, bare errors as problems."""

from __future__ import annotations

import logging
import re
import secrets
import time
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.http import problem_kinds, problems
from service.http.admission.usage import usage_headers
from service.http.edge.overload import route_turned_away
from service.http.tenancy import served_gallery_of
from service.runtime.logs import bind_request_id
from service.runtime.metrics import Metrics
from service.tracing.traces import Traces, span_attributes

_log = logging.getLogger("inkseek.access")

REQUEST_ID = b"x-request-id"
"""The header with the id, in requests and answers."""
_SANE_ID = re.compile(rb"^[A-Za-z0-9._:/+=-]{1,128}$")  # what may be put into a header and a log line as it is
_KEPT_HEADERS = (b"allow", b"content-range", b"retry-after", b"connection", b"vary")
_KEPT_PREFIX = b"access-control-"

# The page needs nothing from elsewhere: its own files, and images that it made itself (canvas, pasted, previews).
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
SECURITY_HEADERS = [
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
]


class RequestScope:
    """Around all that answers: request id, metrics, access log, security headers, a problem for each bare error."""

    def __init__(self, app: ASGIApp, metrics: Metrics, access_log: bool, traces: Traces | None = None) -> None:
        """`access_log`: one line per request."""
        self._app = app
        self._traces = traces
        self._metrics = metrics
        self._access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":  # a GET whose body the server leaves out
            scope = {**scope, "method": "GET"}
        request = _Answered(scope, send, self._metrics, self._access_log, self._traces)
        try:
            await self._app(scope, receive, _as_problems(scope, request.send))
        except ClientDisconnect:
            request.status = problem_kinds.CLIENT_GONE.status
        finally:
            request.finish()


class _Answered:
    """One request: what is added to its answer, and what is counted of it."""

    def __init__(
        self, scope: Scope, send: Send, metrics: Metrics, access_log: bool, traces: Traces | None = None
    ) -> None:
        self._path = scope["path"]  # of a gallery's path, routing sees the short one
        self.status = 0
        self._scope = scope
        self._send = send
        self._metrics = metrics
        self._access_log = access_log
        self._started = time.perf_counter()
        self._sent_id = adopt_request_id(scope["headers"]).encode()
        self._finished = False
        self._span = traces.begin(scope["method"], scope["path"], scope["headers"]) if traces else None
        metrics.in_flight.inc()

    async def send(self, message: Message) -> None:
        """Hands it on with the headers that every answer has; with its end, the request is counted."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [
                *message["headers"],
                (REQUEST_ID, self._sent_id),
                *SECURITY_HEADERS,
                *usage_headers(self._scope),
            ]
        elif not message.get("more_body", False):
            self.finish()  # before the client has all of it: an answer that was received is counted in every process
        await self._send(message)

    def finish(self) -> None:
        """Count the request and log it, once."""
        if self._finished:
            return
        self._finished = True
        self._metrics.in_flight.dec()
        scope, path, status, seconds = self._scope, self._path, self.status, time.perf_counter() - self._started
        # The template: ids must not become label values.
        route = getattr(scope.get("route"), "path", None) or route_turned_away(scope) or "other"
        self._metrics.observe_request(route, scope["method"] if route != "other" else "any", status, seconds)
        gallery = served_gallery_of(scope)
        if self._span is not None:
            more = span_attributes(self._sent_id, gallery)
            self._span.end(route if route != "other" else None, status, more)
        if gallery:
            self._metrics.galleries.observe_request(gallery, status, seconds)
        if self._access_log:
            log_request(scope["method"], path, status, seconds)


def log_request(method: str, path: str, status: int, seconds: float) -> None:
    """The access log's line for a request that was answered within `seconds`."""
    extra: dict[str, Any] = {"method": method, "path": path, "status": status}
    extra["duration_ms"] = round(seconds * 1000, 2)
    _log.info("%s %s %d %.1f ms", method, path, status, seconds * 1000, extra=extra)


def _as_problems(scope: Scope, send: Send) -> Send:
    """Passes answers on; an error that is no problem document yet (Starlette's own, as of a bad range) becomes one."""
    replaced = False

    async def send_problem(message: Message) -> None:
        nonlocal replaced
        if message["type"] == "http.response.start":
            replaced = message["status"] >= 400 and not _is_problem(message["headers"])
            if replaced:
                kept = {
                    name.decode(): value.decode()
                    for name, value in message["headers"]
                    if name in _KEPT_HEADERS or name.startswith(_KEPT_PREFIX)
                }
                answer = problems.status_response(message["status"], scope["method"], scope["path"], kept)
                await answer(scope, _no_more, send)
        if not replaced:
            await send(message)

    return send_problem


def _is_problem(headers: list[tuple[bytes, bytes]]) -> bool:
    media_type = problems.MEDIA_TYPE.encode()
    return any(name == b"content-type" and value.startswith(media_type) for name, value in headers)


async def _no_more() -> Message:
    return {"type": "http.disconnect"}


def adopt_request_id(headers: list[tuple[bytes, bytes]]) -> str:
    """Make the client's `X-Request-ID` (a new one when it sent none that is sane) this task's, and return it."""
    sent = next((value for name, value in headers if name == REQUEST_ID), b"")
    request_id = sent.decode("ascii") if _SANE_ID.match(sent) else new_request_id()
    bind_request_id(request_id)
    return request_id


def new_request_id() -> str:
    """An id that no other request has, of 16 digits."""
    return secrets.token_hex(8)
