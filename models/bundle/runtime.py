"""The ONNX runtime: which device, how many threads, and an error instead of a silent fall-back."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

import onnxruntime as ort

from models.bundle.errors import BundleCorrupt, RuntimeUnavailable

_UNLIMITED_BYTES = 2**60  # version 1 of cgroups says "unlimited" with a number as large as this
_EXCLUSIVE = ("onnxruntime", "onnxruntime-gpu")


@dataclass(frozen=True)
class Runtime:
    """How encoders run. `device` "auto" prefers CUDA and falls back to the CPU unless `require_gpu`.

    `threads`: intra-op threads of one call; None = the CPU quota. On a CPU, several one-thread calls side by side
    beat one call of many threads, so servers and builders pass 1 and call from several threads.
    """

    device: Literal["auto", "cpu", "cuda"] = "auto"
    require_gpu: bool = False
    threads: int | None = None

    def session(self, onnx: bytes, name: str = "the model") -> ort.InferenceSession:
        """Open a serialised model, which errors call `name`. Raises RuntimeUnavailable, BundleCorrupt."""
        _require_one_runtime()
        options = ort.SessionOptions()
        options.intra_op_num_threads = self.threads or cpu_quota()
        options.inter_op_num_threads = 1
        # Spinning threads starve everything else on a small machine (10-30x slower with two busy processes).
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        providers = self._providers()
        if self.may_use_gpu:
            ort.preload_dlls()
        try:
            session = ort.InferenceSession(onnx, options, providers=providers)
        except Exception as error:  # onnxruntime's own errors have no base of theirs
            raise BundleCorrupt(f"{name} is not a usable ONNX model: {error}") from error
        # onnxruntime only warns and goes on with the CPU when CUDA is listed but does not start.
        if (self.require_gpu or self.device == "cuda") and "CUDAExecutionProvider" not in session.get_providers():
            raise RuntimeUnavailable(
                "a GPU is required, but onnxruntime could not start its CUDA provider on this machine"
            )
        return session

    @property
    def may_use_gpu(self) -> bool:
        """Whether encoders run on a GPU, as far as that is known before one is loaded."""
        return self._providers()[0] == "CUDAExecutionProvider"

    def _providers(self) -> list[str]:
        available = ort.get_available_providers()
        wants_gpu = self.require_gpu or self.device == "cuda"
        if self.device == "cpu" and not self.require_gpu:
            return ["CPUExecutionProvider"]
        if "CUDAExecutionProvider" in available:
            return ["CUDAExecutionProvider", "CPUExecutionProvider"]
        if wants_gpu:
            raise RuntimeUnavailable(
                f"a GPU is required, but the installed onnxruntime offers only {', '.join(available)}; "
                "install the gpu extra in place of the cpu one"
            )
        return ["CPUExecutionProvider"]


def _require_one_runtime() -> None:
    """onnxruntime and onnxruntime-gpu own the same folder; pip installs both and the last one wins silently."""
    installed = []
    for name in _EXCLUSIVE:
        try:
            installed.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    if len(installed) > 1:
        raise RuntimeUnavailable(
            f"{' and '.join(installed)} overwrite each other: uninstall both, then install one extra"
        )


def memory_limit(cgroup: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Bytes that the container may take (cgroup v2, then v1); None where nothing says so."""
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            limit = int((cgroup / name).read_text())
        except (OSError, ValueError):  # "max"
            continue
        return limit if limit < _UNLIMITED_BYTES else None
    return None


def cpu_quota(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """CPUs this process may use: the container's quota (cgroup v2, then v1), else its affinity; at least 1."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = math.inf
    try:
        limit, period = (cgroup / "cpu.max").read_text().split()[:2]
        quota = math.inf if limit == "max" else int(limit) / int(period)
    except (OSError, ValueError):
        try:
            limit_us = int((cgroup / "cpu" / "cpu.cfs_quota_us").read_text())
            quota = limit_us / int((cgroup / "cpu" / "cpu.cfs_period_us").read_text()) if limit_us > 0 else math.inf
        except (OSError, ValueError):
            pass
    return max(1, min(affinity, math.floor(quota) if quota != math.inf else affinity))
