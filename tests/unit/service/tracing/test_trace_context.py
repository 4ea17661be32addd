"""`traceparent` as W3C defines it: what is valid is read, everything else is as if it had not been sent."""

from __future__ import annotations

import json
import logging
from contextvars import Context

import pytest
from opentelemetry.trace import get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from service.runtime.logs import JsonFormatter, bind_request_id
from service.tracing.trace_context import TraceIds, bind_trace, caller_of, current_trace

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"

HEADERS = {
    f"00-{TRACE}-{SPAN}-01": True,
    f"00-{TRACE}-{SPAN}-00": True,  # the caller does not record it, and is named all the same
    f"01-{TRACE}-{SPAN}-01": True,  # a later version
    f"cc-{TRACE}-{SPAN}-01-what-comes-later": True,
    f" 00-{TRACE}-{SPAN}-01 ": True,
    f"00-{TRACE}-{SPAN}-01-more": False,
    f"ff-{TRACE}-{SPAN}-01": False,
    f"00-{'0' * 32}-{SPAN}-01": False,
    f"00-{TRACE}-{'0' * 16}-01": False,
    f"00-{TRACE.upper()}-{SPAN}-01": False,
    f"00-{TRACE[:-1]}-{SPAN}-01": False,
    f"00-{TRACE}-{SPAN}": False,
    f"00-{TRACE}-{SPAN}-1": False,
    f"00-{TRACE}-{SPAN}-01\n": True,
    "": False,
    "nonsense": False,
}


@pytest.mark.parametrize(("header", "is_valid"), HEADERS.items())
def test_what_is_valid_is_read_as_opentelemetry_reads_it(header: str, is_valid: bool) -> None:
    found = caller_of([(b"host", b"x"), (b"traceparent", header.encode())])
    assert found == (TraceIds(TRACE, SPAN) if is_valid else None)
    span = get_current_span(TraceContextTextMapPropagator().extract({"traceparent": header.strip()}))
    context = span.get_span_context()
    # OpenTelemetry takes upper case for lower case, and knows no limit on what follows the flags' two digits.
    if header == header.lower() and not header.endswith("-1"):
        assert context.is_valid == is_valid
    if is_valid:
        assert (f"{context.trace_id:032x}", f"{context.span_id:016x}") == (TRACE, SPAN)


def test_two_headers_are_none() -> None:
    header = (b"traceparent", f"00-{TRACE}-{SPAN}-01".encode())
    assert caller_of([header, header]) is None
    assert caller_of([]) is None


def line() -> dict[str, object]:
    record = logging.LogRecord("inkseek.service", logging.INFO, "", 0, "hello", (), None)
    document: dict[str, object] = json.loads(JsonFormatter().format(record))
    return document


def test_log_lines_name_the_trace_of_their_own_task_alone() -> None:
    def in_a_task() -> None:
        bind_request_id("r-1")
        bind_trace(TraceIds(TRACE, SPAN))
        assert line().items() >= {"request_id": "r-1", "trace_id": TRACE, "span_id": SPAN}.items()
        bind_trace(None)
        assert "trace_id" not in line()

    def in_another() -> None:
        assert current_trace() is None and "trace_id" not in line()

    Context().run(in_a_task)
    Context().run(in_another)
