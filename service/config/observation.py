"""Logs and traces."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class ObservationSettings(BaseModel):
    """What the service writes and sends about its requests."""

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe log line."
    )
    log_format: Literal["plain", "json"] = Field(default="plain", description="Log lines for people or for machines.")
    traces: bool = Field(
        default=False,
        description="Record spans of requests and their stages, and send them by OTLP over HTTP where the standard "
        "`OTEL_*` variables say (needs the extra `otel`).",
    )
    access_log: bool = Field(default=False, description="One log line per request, with its id, status and duration.")
