"""Where the service listens, with how many processes, threads and connections, and on what device."""

from __future__ import annotations

import os
from typing import Literal

from pydantic import BaseModel, Field, field_validator

from models.bundle import Runtime, cpu_quota
from service.config.comma_separated import CommaSeparated

_MOST_LONE_THREADS = 4  # an encoder's layers are too small for more


class ProcessSettings(BaseModel):
    """Addresses, processes, threads and the device that encoders run on."""

    host: CommaSeparated[str] = Field(
        default=("127.0.0.1",),
        min_length=1,
        description="Comma-separated addresses or names to listen on; `0.0.0.0` for every IPv4 interface, `::` for "
        "every interface in both families.",
    )
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    workers: int | None = Field(
        default=None,
        ge=1,
        le=64,
        description="Processes, each with its own encoder; empty: one per CPU of the container's quota, at most 8 and "
        "one per 256 MiB of its memory. One alone on a GPU, with `threads` given, and where it counts rate limits.",
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        le=256,
        description="Sketches answered side by side in one process; empty: the container's CPU quota over `workers`.",
    )
    queue_size: int = Field(
        default=64, ge=0, le=10_000, description="Requests that may wait for a thread; one more is answered 429."
    )
    request_timeout_s: float = Field(
        default=15.0, gt=0, le=600, description="Longest time from a received body to its answer; then 503."
    )
    max_connections: int = Field(
        default=1_000,
        ge=8,
        le=100_000,
        description="Connections of one process, fewer where the system allows fewer open files. One more takes the "
        "place of the one that has waited longest without a request.",
    )
    drain_s: float = Field(
        default=1.5,
        ge=0,
        le=300,
        description="Seconds between SIGTERM, from which on `/readyz` is red, and the end of listening.",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto",
        description="Where encoders run and vectors are searched; `auto` takes a GPU where onnxruntime, or FAISS, "
        "offers one.",
    )
    require_gpu: bool = Field(default=False, description="Fail to start where encoders or searches would run on a CPU.")

    @field_validator("host")
    @classmethod
    def _without_brackets(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        # As in a URL: `[::1]`.
        return tuple(host[1:-1] if host.startswith("[") and host.endswith("]") else host for host in value)

    @property
    def runtime(self) -> Runtime:
        """One-thread sessions: several calls side by side beat one call of many threads, but not a call alone."""
        cpus = cpu_quota()
        # In a part of a machine nothing tells whether those who share it compute (`service.runtime.spare_cpus`).
        lone = min(_MOST_LONE_THREADS, cpus) if cpus == os.cpu_count() else 1
        return Runtime(device=self.device, require_gpu=self.require_gpu, threads=1, lone_threads=lone)

    @property
    def processes(self) -> int:
        """Processes that serve: `workers`, which `inkseek serve` chooses before it starts any; else this one."""
        return self.workers or 1

    @property
    def worker_threads(self) -> int:
        """Sketches that one process answers side by side: one a CPU, since two take turns at its caches.

        One thread more took 1.1 times the CPU time per answer.
        """
        return self.threads or max(1, cpu_quota() // self.processes)
