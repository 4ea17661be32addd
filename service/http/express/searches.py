"""Plain searches of the default gallery, of drawings and of vectors, checked in one go by the functions of the layers.

Through the layers such a request passes thirteen of them, each with its own coroutine, and a task, an event and three
timers. What is not plain, or would be turned away, is left to them, so that there is one place for every answer.
"""

from __future__ import annotations

import asyncio
import time
from asyncio import Event, Future
from asyncio.events import TimerHandle
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from models.errors import InkseekError
from service.access.rate_limits import RateLimits
from service.errors import ClientGone, DeadlineExceeded
from service.gallery_folders import DEFAULT_GALLERY
from service.http.admission.auth import Authenticate, leave_principal
from service.http.admission.browsers import BrowserRules
from service.http.edge.compression import admits_gzip, encoded
from service.http.edge.failures import answer_to_unforeseen
from service.http.edge.proxies import Forwarded
from service.http.edge.refusals import Refusals
from service.http.edge.request_scope import REQUEST_ID, SECURITY_HEADERS, adopt_request_id, log_request
from service.http.express.connection import ExpressHttp, Headers
from service.http.express.kinds import OfDrawing, OfVector, PlainSearch, SearchKind
from service.http.forms.body import Upload
from service.http.problem_kinds import CLIENT_GONE
from service.http.problems import answer_to
from service.http.tenancy import serve_from, tenant_in
from service.runtime.process import Process
from service.search.query import OWN_MARK
from service.tracing.traces import Traces, span_attributes

_SMALL_BYTES = 65_536  # of bodies that `RequestBody` does not count
_SECURITY = b"".join(b"%b: %b\r\n" % header for header in SECURITY_HEADERS)
# With one of these the body, the connection or the paths of the answer are others.
_SPECIAL = frozenset((b"expect", b"transfer-encoding", b"content-encoding", b"upgrade", b"x-forwarded-prefix"))


@dataclass
class Searches:
    """What every plain search of one process is checked with; see `Express`.

    `forwarded`: None where no proxy is trusted. `most_bytes` of a body. `shares_origins`: whether pages of other
    origins may read answers, which then have more headers.
    """

    app: FastAPI
    rules: BrowserRules
    authenticate: Authenticate
    limits: RateLimits
    refusals: Refusals
    forwarded: Forwarded | None
    most_bytes: int
    shares_origins: bool
    read_only: bool
    access_log: bool
    traces: Traces | None = None

    def __post_init__(self) -> None:
        """Know the routes by their paths."""
        self._kinds: dict[bytes, SearchKind] = {kind.route.encode(): kind for kind in (OfDrawing(), OfVector())}

    def takes(self, method: bytes, target: bytes, headers: Headers) -> bool:
        """Whether it is a search with a small body of announced length, and nothing special."""
        if method != b"POST" or target.partition(b"?")[0] not in self._kinds or b"#" in target:
            return False
        length = b""
        for name, value in headers:
            if name in _SPECIAL or (self.shares_origins and name == b"origin"):
                return False
            if name == b"content-length":
                length = value
        return length.isdigit() and int(length) <= min(_SMALL_BYTES, self.most_bytes)

    def begin(self, connection: ExpressHttp, scope: dict[str, Any], target: bytes, body: bytes) -> Search | None:
        """Take a place and queue the work; None where the layers have to answer."""
        path, _, query = target.partition(b"?")
        kind, process = self._kinds[path], cast(Process, self.app.state.process)
        scope |= {"app": self.app, "method": "POST", "path": kind.route, "raw_path": path, "query_string": query}
        try:
            if self.forwarded is not None:
                self.forwarded.believe(scope)
            self.rules.check(scope)
            principal = self.authenticate(scope)
            plain = kind.read(process, query, Upload(body, Request(scope).headers.get("content-type", "")))
        except (InkseekError, RequestValidationError):
            return None
        if plain is None or (plain.profile is not None and plain.profile.startswith(OWN_MARK)):
            return None  # the profile of a key may be turned away
        is_free = "search" in principal.access and principal.may_see(DEFAULT_GALLERY)
        tenant = tenant_in(process, principal, DEFAULT_GALLERY)
        if not is_free or self.limits.concern(principal) or not process.workers.take_place(tenant):
            return None
        self.refusals.arrived()
        leave_principal(scope, principal, read_only=self.read_only)
        serve_from(scope, process.galleries.default)
        try:
            return copy_context().run(Search, self, connection, Request(scope), tenant, kind.route, plain)
        except RuntimeError:  # the threads are closed: the service ends
            process.workers.give_place_back(tenant)
            return None


class Search:
    """One search in work. It stands in the place of uvicorn's cycle of request and response; see `Flight`."""

    response_started = more_body = disconnected = False
    message_event = Event()  # which nobody waits for

    def __init__(
        self,
        searches: Searches,
        connection: ExpressHttp,
        request: Request,
        tenant: str | None,
        route: str,
        plain: PlainSearch,
    ) -> None:
        """Queues the work, in a context of its own, whose request id is this one's."""
        self.keep_alive, self.response_complete = True, False
        self._started = time.perf_counter()
        self._searches, self._connection, self._request, self._tenant = searches, connection, request, tenant
        self._route = route
        self._process: Process = searches.app.state.process
        headers = request.scope["headers"]
        self._request_id = adopt_request_id(headers).encode()
        self._span = searches.traces.begin("POST", route, headers) if searches.traces else None
        self._fault: InkseekError | None = None
        self._answer = plain.start(request, tenant)
        self._timer: TimerHandle = asyncio.get_running_loop().call_later(self._process.workers.timeout_s, self._expire)
        self._answer.add_done_callback(self._end)
        self._process.metrics.in_flight.inc()

    def leave(self) -> None:
        """The client is gone: work that has not begun is dropped."""
        self._give_up(ClientGone("the client closed the connection before the answer was there"), "client_gone")

    def _expire(self) -> None:
        seconds = self._process.workers.timeout_s
        self._give_up(DeadlineExceeded(f"there was no answer within {seconds:g} s"), "deadline")

    def _give_up(self, fault: InkseekError, reason: str) -> None:
        if not self._answer.done():
            self._fault = fault
            self._process.metrics.rejected.labels(reason).inc()
            self._answer.cancel()

    def _end(self, answer: Future[bytes]) -> None:
        self._timer.cancel()
        self._process.workers.give_place_back(self._tenant)
        if isinstance(self._fault, ClientGone):
            self._count(CLIENT_GONE.status)
            return
        if answer.cancelled() and self._fault is None:  # the service ends
            self._connection.transport.abort()
            self._count(0)
            return
        error = self._fault or answer.exception()
        if error is None:
            body = answer.result()
            status, headers = 200, [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
        else:
            status, headers, body = self._failed(error)
        headers, body = encoded(headers, body, admits_gzip(self._request.scope["headers"]))
        lines = [STATUS_LINE[status], *self._connection.start_of_response()]
        lines += [b"%b: %b\r\n" % header for header in (*headers, (REQUEST_ID, self._request_id))]
        if not self.keep_alive:
            lines.append(b"connection: close\r\n")
        # Before the client has it: an answer that was received is counted in every process.
        self._count(status)
        self._connection.answer(self, b"".join((*lines, _SECURITY, b"\r\n", body)))

    def _failed(self, error: BaseException) -> tuple[int, Headers, bytes]:
        try:
            response = answer_to(self._request, cast(Exception, error))
        except Exception as unforeseen:
            response = answer_to_unforeseen(unforeseen, "POST", self._route)
        return response.status_code, response.raw_headers, bytes(response.body)

    def _count(self, status: int) -> None:
        metrics, seconds = self._process.metrics, time.perf_counter() - self._started
        metrics.in_flight.dec()
        metrics.observe_request(self._route, "POST", status, seconds)
        metrics.galleries.observe_request(DEFAULT_GALLERY, status, seconds)
        if self._span is not None:
            self._span.end(self._route, status, span_attributes(self._request_id, DEFAULT_GALLERY))
        if self._searches.access_log:
            log_request("POST", self._route, status, seconds)
