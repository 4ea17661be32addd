"""Calls about jobs, versions, and the service itself."""

from __future__ import annotations

from urllib.parse import quote

from inkseek_client.call import Call, query, reads
from inkseek_client.schemas.jobs import Job, Jobs, Versions
from inkseek_client.schemas.operation import Info, Readiness


def rebuild(photos: bool) -> Call[Job]:
    """POST /v1/index:rebuild."""
    return Call("POST", "/v1/index:rebuild", reads(Job), params=query(photos=photos), idempotent=False)


def jobs() -> Call[Jobs]:
    """GET /v1/jobs."""
    return Call("GET", "/v1/jobs", reads(Jobs))


def job(job_id: str) -> Call[Job]:
    """GET /v1/jobs/{job_id}."""
    return Call("GET", f"/v1/jobs/{quote(job_id, safe='')}", reads(Job))


def cancel(job_id: str) -> Call[Job]:
    """POST /v1/jobs/{job_id}:cancel; a second one is answered that the job has ended."""
    return Call("POST", f"/v1/jobs/{quote(job_id, safe='')}:cancel", reads(Job), idempotent=False)


def versions() -> Call[Versions]:
    """GET /v1/versions."""
    return Call("GET", "/v1/versions", reads(Versions))


def info() -> Call[Info]:
    """GET /v1/info."""
    return Call("GET", "/v1/info", reads(Info))


def ready() -> Call[Readiness]:
    """GET /readyz."""
    return Call("GET", "/readyz", reads(Readiness), of_gallery=False)


def metrics() -> Call[str]:
    """GET /metrics."""
    return Call("GET", "/metrics", lambda content: content.decode(), of_gallery=False)
