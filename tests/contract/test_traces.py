"""Spans of real requests, in memory and at an OTLP collector; log lines that name them."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from starlette.testclient import TestClient

from service.app import create_app
from service.config import Settings
from service.runtime.logs import JsonFormatter
from service.tracing.spans import SpanTraces
from tests.contract.test_log_formats import serving
from tests.contract.waiting import until

MakeSettings = Callable[..., Settings]

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CALLER = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
THUMBNAIL = "GET /v1/photos/{photo_id:path}/thumbnail"
STAGES = ["wait", "decode", "preprocess", "encode", "records", "search", "render"]


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture(params=[1, 2], ids=["on the event loop", "in threads"])
def client(
    exporter: InMemorySpanExporter, make_settings: MakeSettings, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[TestClient]:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    app = create_app(make_settings(threads=request.param, online_dir=tmp_path), traces=SpanTraces(lambda: provider))
    with TestClient(app, raise_server_exceptions=False) as client:
        exporter.clear()
        yield client


def of_requests(exporter: InMemorySpanExporter) -> list[tuple[ReadableSpan, list[ReadableSpan]]]:
    """The span of each request with those below it, in the order in which they ended."""
    spans = exporter.get_finished_spans()
    below: dict[int, list[ReadableSpan]] = {}
    for span in spans:
        if span.parent is not None:
            below.setdefault(span.parent.span_id, []).append(span)
    return [
        (span, below.get(span.context.span_id, [])) for span in spans if span.kind == SpanKind.SERVER and span.context
    ]


def test_a_search_has_a_span_for_each_stage_within_its_own(
    client: TestClient, exporter: InMemorySpanExporter, cross: bytes
) -> None:
    answer = client.post("/v1/search", content=cross, headers={**CALLER, "x-request-id": "r-1"})
    assert answer.status_code == 200
    ((request, stages),) = of_requests(exporter)
    assert request.context is not None and request.parent is not None and request.attributes is not None
    assert (f"{request.context.trace_id:032x}", f"{request.parent.span_id:016x}") == (TRACE, SPAN)
    assert (request.name, request.attributes["inkseek.request_id"]) == ("POST /v1/search", "r-1")
    assert sorted(stage.name for stage in stages) == sorted(STAGES)
    timed = {stage.name: (stage.start_time or 0, stage.end_time or 0) for stage in stages}
    order = [timed[name] for name in STAGES if name != "records"]
    slack_ns = 50_000_000  # spans begin and end by the clock on the wall, which may be set meanwhile
    for (_, ended), (began, _) in pairwise(order):
        assert ended <= began + slack_ns
    assert timed["search"][0] <= timed["records"][0] and timed["records"][1] <= timed["search"][1]
    assert (request.start_time or 0) <= order[0][0] and order[-1][1] <= (request.end_time or 0) + slack_ns
    for name, milliseconds in answer.json()["timings_ms"].items():
        if name != "total":
            began, ended = timed[name]
            assert (ended - began) / 1e6 == pytest.approx(milliseconds, abs=0.01)


def test_requests_beside_searches(client: TestClient, exporter: InMemorySpanExporter, cross: bytes) -> None:
    found = client.post("/v1/search", content=cross).json()["results"][0]["photo_id"]
    assert client.get(f"/v1/photos/{found}/thumbnail").status_code == 200
    assert client.post("/v1/search", content=b"no sketch").status_code >= 400
    assert client.get("/nowhere").status_code == 404
    traced = [(span.name, [stage.name for stage in stages]) for span, stages in of_requests(exporter)]
    assert [name for name, _ in traced] == ["POST /v1/search", THUMBNAIL, "POST /v1/search", "GET"]
    assert "encode" in traced[0][1] and "encode" not in traced[2][1] and traced[3][1] == []
    ids = {span.context.trace_id for span, _ in of_requests(exporter) if span.context}
    assert len(ids) == 4  # nobody's child: a trace each


def test_a_batch_has_the_stages_of_each_item(client: TestClient, exporter: InMemorySpanExporter, cross: bytes) -> None:
    files = [("sketch", cross)] * 3
    assert client.post("/v1/search:batch", files=files).status_code == 200
    ((_, stages),) = of_requests(exporter)
    names = [stage.name for stage in stages]
    assert [names.count(name) for name in STAGES[1:]] == [3] * 6


@contextmanager
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """An OTLP/HTTP collector that keeps what it gets: its address, and the requests so far."""
    got: list[ExportTraceServiceRequest] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            assert (self.path, self.headers["content-type"]) == ("/v1/traces", "application/x-protobuf")
            got.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", got
        finally:
            server.shutdown()
            thread.join()


def options(index_dir: Path, bundle: Path, online: Path) -> list[str]:
    return ["--index", str(index_dir), "--bundle", str(bundle), "--online-dir", str(online), "--workers", "1"]


def test_spans_arrive_at_a_collector_and_log_lines_name_them(
    index_dir: Path, tiny_bundle_dir: Path, tmp_path: Path, cross: bytes
) -> None:
    with collector() as (endpoint, got):
        environment = {
            "INKSEEK_TRACES": "true",
            "INKSEEK_ACCESS_LOG": "true",
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_BSP_SCHEDULE_DELAY": "60000",  # what is sent is sent at the end
            "OTEL_SERVICE_NAME": "sketches",
        }
        folders = options(index_dir, tiny_bundle_dir, tmp_path)
        with serving(*folders, **environment) as (address, lines, _), httpx.Client(base_url=address) as client:
            assert client.post("/v1/search", content=cross, headers=CALLER).status_code == 200
        until(lambda: bool(got), lambda: lines)
    spans = [span for request in got for each in request.resource_spans for it in each.scope_spans for span in it.spans]
    resource = {item.key: item.value.string_value for item in got[0].resource_spans[0].resource.attributes}
    assert resource["service.name"] == "sketches" and resource["service.version"]
    (request,) = [span for span in spans if span.name == "POST /v1/search"]
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, SPAN)
    children = sorted(span.name for span in spans if span.parent_span_id == request.span_id)
    assert children == sorted(STAGES)
    (line,) = [json.loads(line) for line in lines if "POST /v1/search" in line]
    assert (line["trace_id"], line["span_id"]) == (TRACE, request.span_id.hex())


def test_log_lines_name_the_caller_where_no_spans_are_recorded(make_settings: MakeSettings, tmp_path: Path) -> None:
    written = io.StringIO()
    handler, log = logging.StreamHandler(written), logging.getLogger("inkseek.access")
    handler.setFormatter(JsonFormatter())
    log.addHandler(handler)
    level = log.level
    log.setLevel("INFO")
    try:
        app = create_app(make_settings(online_dir=tmp_path, log_format="json", access_log=True))
        with TestClient(app) as client:
            for headers in (CALLER, {}, {"traceparent": "nonsense"}):
                assert client.get("/livez", headers=headers).status_code == 200
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
    logged = [json.loads(line) for line in written.getvalue().splitlines()]
    ids = [(line.get("trace_id"), line.get("span_id")) for line in logged]
    assert ids == [(TRACE, SPAN), (None, None), (None, None)]


def test_a_collector_that_is_gone_keeps_nobody_waiting(
    index_dir: Path, tiny_bundle_dir: Path, tmp_path: Path, cross: bytes
) -> None:
    environment = {"INKSEEK_TRACES": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    folders = options(index_dir, tiny_bundle_dir, tmp_path)
    with serving(*folders, **environment) as (address, _, process), httpx.Client(base_url=address) as client:
        assert client.post("/v1/search", content=cross).status_code == 200
    assert process.returncode is not None  # it ended by itself when it was asked to
