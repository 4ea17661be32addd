"""Spans of OpenTelemetry: one for each request, and below it one for each of its stages.

What the standard variables say (`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_TRACES_SAMPLER`, `OTEL_SERVICE_NAME`,
`OTEL_RESOURCE_ATTRIBUTES`, `OTEL_BSP_*`, `OTEL_PROPAGATORS`, `OTEL_SDK_DISABLED`) holds: the SDK reads them. Attributes
follow the semantic conventions for HTTP servers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, set_span_in_context

from service.tracing.stages import bind_recorder
from service.tracing.trace_context import TraceIds, bind_trace
from service.tracing.traces import Headers

_NANOSECONDS = 1_000_000_000
_CLOSE_S = 5.0  # for what is recorded to be sent, when the process ends
_SERVER_ERROR = 500
_OF_CALLER = frozenset({b"traceparent", b"tracestate", b"baggage"})


def otlp_provider(version: str) -> TracerProvider:
    """A provider that sends spans by OTLP over HTTP, from a thread of its own. `version`: of the release that runs."""
    resource = Resource.create({"service.version": version})
    if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: "inkseek"}))
    # Not at the interpreter's exit, where it would wait for half a minute for a collector that is gone.
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


class SpanTraces:
    """The traces of one process."""

    def __init__(self, provider: Callable[[], TracerProvider]) -> None:
        """`provider` is called once the process begins to serve."""
        self._make = provider
        self._provider: TracerProvider | None = None
        self._tracer: Tracer | None = None

    def open(self) -> None:
        """Begin to record."""
        self._provider = self._make()
        self._tracer = self._provider.get_tracer("inkseek.service")

    def begin(self, method: str, path: str, headers: Headers) -> SpanOfRequest | None:
        """Begin the request's span, a child of the caller's, and bind it to this task; None where it is not sampled."""
        bind_recorder(None)
        bind_trace(None)
        if self._tracer is None:
            return None
        carrier = {name.decode(): value.decode("latin-1") for name, value in headers if name in _OF_CALLER}
        attributes = {"http.request.method": method, "url.path": path}
        span = self._tracer.start_span(method, extract(carrier), SpanKind.SERVER, attributes=attributes)
        ids = span.get_span_context()
        if ids.is_valid:
            bind_trace(TraceIds(f"{ids.trace_id:032x}", f"{ids.span_id:016x}"))
        if not span.is_recording():
            return None
        recorded = SpanOfRequest(self._tracer, span, method)
        bind_recorder(recorded)
        return recorded

    def close(self) -> None:
        """Send what is recorded; given up after some seconds."""
        self._tracer = None
        if self._provider is not None:
            closing = threading.Thread(target=self._provider.shutdown, daemon=True)
            closing.start()
            closing.join(_CLOSE_S)


class SpanOfRequest:
    """The span of one request, and the recorder of its stages. Thread-safe."""

    def __init__(self, tracer: Tracer, span: Span, method: str) -> None:
        """`span` has begun."""
        self._tracer, self._span, self._method = tracer, span, method
        self._context = set_span_in_context(span)
        # Stages are timed by a clock that never jumps, spans by that of the wall.
        self._epoch_ns = time.time_ns() - int(time.perf_counter() * _NANOSECONDS)

    def stage(self, name: str, began_s: float, ended_s: float) -> None:
        """A span that began and ended then."""
        span = self._tracer.start_span(name, self._context, start_time=self._epoch_ns + int(began_s * _NANOSECONDS))
        span.end(self._epoch_ns + int(ended_s * _NANOSECONDS))

    def end(self, route: str | None, status: int, more: Mapping[str, str]) -> None:
        """The request is answered; `route`: a template, None where there is none at its path."""
        span = self._span
        span.set_attributes({"http.response.status_code": status, **more})
        if route is not None:
            span.update_name(f"{self._method} {route}")
            span.set_attribute("http.route", route)
        if status >= _SERVER_ERROR:
            span.set_status(StatusCode.ERROR)
        span.end()
