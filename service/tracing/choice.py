"""Which traces a process has: what is an extra is imported here, and only when it is to be used."""

from __future__ import annotations

from functools import partial

from service.errors import TracingUnavailable
from service.tracing.traces import CallerTraces, Traces


def traces_for(version: str, *, spans: bool, in_log: bool) -> Traces | None:
    """`spans`: record them; `in_log`: else, log lines name the caller's trace. None: nobody wants to know.

    `version`: of the release that runs. Raises TracingUnavailable where OpenTelemetry is not installed.
    """
    if not spans:
        return CallerTraces() if in_log else None
    try:
        from service.tracing.spans import SpanTraces, otlp_provider  # its SDK takes memory, and time at the start
    except ImportError as error:
        raise TracingUnavailable(
            f"INKSEEK_TRACES needs OpenTelemetry ({error.name} is missing): pip install 'inkseek[otel]'"
        ) from error
    return SpanTraces(partial(otlp_provider, version))
