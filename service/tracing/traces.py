"""What is recorded of requests: nothing, the caller's trace for the log, or spans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from service.tracing.trace_context import bind_trace, caller_of

Headers = Iterable[tuple[bytes, bytes]]


def span_attributes(request_id: bytes, gallery: str | None) -> dict[str, str]:
    """What a request's span has beyond what the conventions for HTTP name. `gallery`: None for one of none."""
    return {"inkseek.request_id": request_id.decode(), **({"inkseek.gallery": gallery} if gallery else {})}


class RequestSpan(Protocol):
    """One request that is recorded."""

    def end(self, route: str | None, status: int, more: Mapping[str, str]) -> None:
        """It is answered. `route`: a template, such as `/v1/photos/{photo_id}`; None: there is none at its path.

        `more`: further attributes.
        """


class Traces(Protocol):
    """Called for each request, in its own task."""

    def open(self) -> None:
        """The process begins to serve."""

    def begin(self, method: str, path: str, headers: Headers) -> RequestSpan | None:
        """A request arrives; None where nothing of it is recorded."""

    def close(self) -> None:
        """The process ends: what is recorded is sent. Blocks for some seconds at most."""


class CallerTraces:
    """No spans: log lines of a request name the trace and the span that it came with."""

    def open(self) -> None:
        """Nothing is opened."""

    def begin(self, method: str, path: str, headers: Headers) -> RequestSpan | None:
        """Bind the caller's ids to this task."""
        bind_trace(caller_of(headers))
        return None

    def close(self) -> None:
        """Nothing is to be sent."""
