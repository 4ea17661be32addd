"""The ONNX runtime: which device, how many threads, and an error instead of a silent fall-back."""

from __future__ import annotations

import ctypes
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import onnxruntime as ort

from models.bundle.errors import BundleCorrupt, RuntimeUnavailable

_UNLIMITED_BYTES = 2**60  # version 1 of cgroups says "unlimited" with a number as large as this
_EXCLUSIVE = ("onnxruntime", "onnxruntime-gpu")
_DRIVER = "libcuda.so.1"


@dataclass(frozen=True)
class Runtime:
    """How encoders run. `device` "auto" prefers CUDA and falls back to the CPU unless `require_gpu`.

    `threads`: intra-op threads of one call; None = the CPU quota. On a CPU, several one-thread calls side by side
    beat one call of many threads, so servers and builders pass 1 and call from several threads.
    `lone_threads`: of a sketch encoder's calls that have the machine to themselves, for which it has a session more.
    """

    device: Literal["auto", "cpu", "cuda"] = "auto"
    require_gpu: bool = False
    threads: int | None = None
    lone_threads: int = 1

    def session(self, onnx: bytes, name: str = "the model") -> ort.InferenceSession:
        """Open a serialised model, which errors call `name`. Raises RuntimeUnavailable, BundleCorrupt."""
        # Spinning threads starve everything else on a small machine (10-30x slower with two busy processes).
        return self._session(onnx, name, spins=False)

    def lone_session(self, onnx: bytes, name: str = "the model") -> ort.InferenceSession | None:
        """The same with `lone_threads`; None where it would be no faster. Raises RuntimeUnavailable, BundleCorrupt."""
        if self.may_use_gpu or self.lone_threads <= (self.threads or cpu_quota()):
            return None
        # A thread that has to be woken comes too late for most layers, which take 0.1 ms: it spins between them.
        return replace(self, threads=self.lone_threads)._session(onnx, name, spins=True)

    def _session(self, onnx: bytes, name: str, *, spins: bool) -> ort.InferenceSession:
        _require_one_runtime()
        options = ort.SessionOptions()
        options.intra_op_num_threads = self.threads or cpu_quota()
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spins)))
        options.add_session_config_entry("session.force_spinning_stop", "1")  # not beyond the end of a call
        options.log_severity_level = 3
        providers = self._providers()
        if self.may_use_gpu:
            ort.preload_dlls()
        try:
            session = _opened(onnx, options, providers)
        except Exception as error:  # onnxruntime's own errors have no base of theirs
            raise BundleCorrupt(f"{name} is not a usable ONNX model: {error}") from error
        if (self.require_gpu or self.device == "cuda") and "CUDAExecutionProvider" not in session.get_providers():
            raise RuntimeUnavailable(
                f"a GPU is required, but onnxruntime could not start its CUDA provider: {cuda_problem()}"
            )
        return session

    def unused_gpu(self, providers: Sequence[str]) -> str | None:
        """Why a session with these providers runs on the CPU although this onnxruntime is one for GPUs; else None."""
        if not self.may_use_gpu or "CUDAExecutionProvider" in providers:
            return None
        return cuda_problem()

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


def _opened(onnx: bytes, options: ort.SessionOptions, providers: list[str]) -> ort.InferenceSession:
    """A session with the first provider that starts. onnxruntime's own fallback prints to stdout, where JSON may go."""
    try:
        return ort.InferenceSession(onnx, options, providers=providers, enable_fallback=0)
    except Exception:  # its errors have no base of theirs; what is wrong with the model is wrong on the CPU, too
        if len(providers) == 1:
            raise
    return ort.InferenceSession(onnx, options, providers=providers[-1:], enable_fallback=0)


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


def cuda_problem(load: Callable[[str], Any] = ctypes.CDLL) -> str:
    """What NVIDIA's driver says about a GPU that could not be used, in words. `load`: opens a shared library.

    onnxruntime writes its reason to the log of a child library, if at all. Loads the driver into this process, so it is
    for processes that use no GPU.
    """
    try:
        driver = load(_DRIVER)
    except OSError:
        return f"there is no NVIDIA driver ({_DRIVER}); in a container it comes with `docker run --gpus all`"
    count = ctypes.c_int(0)
    status = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.pointer(count))
    if status:
        return f"the NVIDIA driver finds no usable GPU (CUDA status {status})"
    if not count.value:
        return "the NVIDIA driver reports no GPU"
    return f"the NVIDIA driver reports {count.value} GPU, so CUDA's libraries are missing or of another version"


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
