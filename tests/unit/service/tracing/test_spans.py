"""Spans of requests and of their stages, by the SDK's exporter in memory."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextvars import Context

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode

from service.errors import TracingUnavailable
from service.search.results import Stopwatch
from service.tracing.choice import traces_for
from service.tracing.spans import SpanTraces, otlp_provider
from service.tracing.stages import bind_recorder, report, report_in, stage
from service.tracing.trace_context import bind_trace, current_trace
from service.tracing.traces import CallerTraces

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CALLER = (b"traceparent", f"00-{TRACE}-{SPAN}-01".encode())


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def traces(exporter: InMemorySpanExporter) -> Iterator[SpanTraces]:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    opened = SpanTraces(lambda: provider)
    opened.open()
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def own_task() -> Iterator[None]:
    """What a test binds to its task is not there for the next one."""
    yield
    bind_recorder(None)
    bind_trace(None)


def parts(spans: tuple[ReadableSpan, ...]) -> tuple[ReadableSpan, dict[str, ReadableSpan]]:
    """The span of the one request, and its stages by name."""
    (request,) = [span for span in spans if span.kind == SpanKind.SERVER]
    stages = [span for span in spans if span is not request]
    for span in stages:
        assert span.context is not None and request.context is not None and span.parent is not None
        assert span.parent.span_id == request.context.span_id and span.context.trace_id == request.context.trace_id
        assert span.kind == SpanKind.INTERNAL
    return request, {span.name: span for span in stages}


def times(span: ReadableSpan) -> tuple[int, int]:
    assert span.start_time is not None and span.end_time is not None
    return span.start_time, span.end_time


def test_a_request_is_a_child_of_its_caller_and_its_stages_are_children_of_it(
    traces: SpanTraces, exporter: InMemorySpanExporter
) -> None:
    def task() -> None:
        span = traces.begin("POST", "/v1/search", [(b"host", b"x"), CALLER, (b"tracestate", b"vendor=1")])
        ids = current_trace()
        assert span is not None and ids is not None and ids.trace_id == TRACE and ids.span_id != SPAN
        stopwatch = Stopwatch()
        with stopwatch.stage("decode"):
            time.sleep(0.002)
        stopwatch.add("encode", 1.5)
        with stage("render"):
            pass
        span.end("/v1/search", 200, {"inkseek.gallery": "shop"})

    before = time.time_ns()
    Context().run(task)
    request, stages = parts(exporter.get_finished_spans())
    assert request.name == "POST /v1/search" and list(stages) == ["decode", "encode", "render"]
    assert request.parent is not None and request.context is not None
    assert (f"{request.context.trace_id:032x}", f"{request.parent.span_id:016x}") == (TRACE, SPAN)
    assert request.context.trace_state.get("vendor") == "1"
    assert dict(request.attributes or {}) == {
        "http.request.method": "POST",
        "url.path": "/v1/search",
        "http.route": "/v1/search",
        "http.response.status_code": 200,
        "inkseek.gallery": "shop",
    }
    assert request.status.status_code == StatusCode.UNSET
    begins = [times(span)[0] for span in (stages["decode"], stages["render"])]
    assert before - 1_000_000 <= times(request)[0] and begins == sorted(begins)
    start, end = times(stages["decode"])
    assert end - start >= 2_000_000
    start, end = times(stages["encode"])
    assert abs(end - start - 1_500_000) < 1_000


def test_stages_reach_their_own_request_from_other_threads(traces: SpanTraces, exporter: InMemorySpanExporter) -> None:
    contexts = []
    for number in range(4):
        context = Context()
        context.run(traces.begin, "GET", f"/{number}", [])
        contexts.append(context)
    threads = [
        threading.Thread(target=context.run, args=(report, f"stage {number}", 1.0, 2.0))
        for number, context in enumerate(contexts)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, context in enumerate(contexts):
        report_in(context, f"wait {number}", 1.0, 2.0)
    report("of nobody", 1.0, 2.0)
    found = {span.name: span.context.trace_id for span in exporter.get_finished_spans() if span.context}
    assert len(found) == 8 and len(set(found.values())) == 4
    assert all(found[f"stage {number}"] == found[f"wait {number}"] for number in range(4))


def test_an_error_of_the_service_is_one_and_that_of_a_client_is_none(
    traces: SpanTraces, exporter: InMemorySpanExporter
) -> None:
    for status in (200, 404, 500, 503):
        span = traces.begin("GET", "/x", [])
        assert span is not None
        span.end("/x", status, {})
    marked = [span.status.status_code == StatusCode.ERROR for span in exporter.get_finished_spans()]
    assert marked == [False, False, True, True]
    traces.begin("GET", "/x", [])  # a task that is used again has the next request's, and nothing of the last one
    traces.close()
    assert traces.begin("GET", "/x", []) is None and current_trace() is None


def test_what_is_not_sampled_costs_no_spans_and_is_still_named_in_the_log(exporter: InMemorySpanExporter) -> None:
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    traces = SpanTraces(lambda: provider)

    def task() -> None:
        assert traces.begin("GET", "/x", [CALLER]) is None  # not open yet
        traces.open()
        assert traces.begin("GET", "/x", [CALLER]) is None
        ids = current_trace()
        assert ids is not None and ids.trace_id == TRACE
        report("decode", 1.0, 2.0)

    Context().run(task)
    traces.close()
    assert exporter.get_finished_spans() == ()


def test_the_standard_variables_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test")
    provider = otlp_provider("1.2.3")
    named = provider.resource.attributes
    provider.shutdown()
    assert (named["service.name"], named["service.version"], named["deployment.environment"]) == (
        "inkseek",
        "1.2.3",
        "test",
    )
    monkeypatch.setenv("OTEL_SERVICE_NAME", "sketches")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    provider = otlp_provider("1.2.3")
    assert provider.resource.attributes["service.name"] == "sketches"
    assert not provider.get_tracer("x").start_span("x").is_recording()
    provider.shutdown()
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    traces = SpanTraces(lambda: otlp_provider("1.2.3"))
    traces.open()
    assert traces.begin("GET", "/x", [CALLER]) is None
    traces.close()


def test_nothing_is_recorded_unless_somebody_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert traces_for("1", spans=False, in_log=False) is None
    assert isinstance(traces_for("1", spans=False, in_log=True), CallerTraces)
    assert isinstance(traces_for("1", spans=True, in_log=False), SpanTraces)
    monkeypatch.delitem(sys.modules, "service.tracing.spans")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(TracingUnavailable, match=r"pip install 'inkseek\[otel\]'"):
        traces_for("1", spans=True, in_log=True)
