"""W3C Trace Context of the request that a task or thread works on: https://www.w3.org/TR/trace-context/.

Read here without OpenTelemetry, so that log lines name the trace of whoever called, whatever is installed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextvars import ContextVar
from typing import NamedTuple

TRACEPARENT = b"traceparent"

# Version, trace, parent, flags. A later version may append to it, `ff` is none, and ids of zeros alone are invalid.
_HEADER = re.compile(rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")


class TraceIds(NamedTuple):
    """Hexadecimal ids: 32 digits of the trace, 16 of the span."""

    trace_id: str
    span_id: str


_current: ContextVar[TraceIds | None] = ContextVar("trace_ids", default=None)


def current_trace() -> TraceIds | None:
    """Trace and span of the request that this task answers; the caller's span where the service records none."""
    return _current.get()


def bind_trace(ids: TraceIds | None) -> None:
    """Make these the ids of this task, in its log lines and in those of the jobs that it starts."""
    _current.set(ids)


def caller_of(headers: Iterable[tuple[bytes, bytes]]) -> TraceIds | None:
    """Trace and span of the caller; None where `headers` have no valid `traceparent`, or several."""
    found = [value for name, value in headers if name == TRACEPARENT]
    match = _HEADER.fullmatch(found[0].strip()) if len(found) == 1 else None
    if match is None or (match[1] == b"00" and match[4] is not None):
        return None
    return TraceIds(match[2].decode(), match[3].decode())
