"""The child's side: import the handler, give up what it does not need, then answer jobs one after the other."""

from __future__ import annotations

import importlib
import resource
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

from models.errors import InkseekError
from models.sandbox import wire

Handler: TypeAlias = Callable[[dict[str, Any], bytes], tuple[dict[str, Any], bytes]]

_OPEN_FILES = 16  # the channel, standard streams, and what libraries opened at their import


def main(handler: str, descriptor: int, cpu_s: float, memory_bytes: int) -> None:
    """Serve `handler` ("module:function") on the socket `descriptor` until the parent is gone."""
    module, _, function = handler.partition(":")
    serving: Handler = getattr(importlib.import_module(module), function)
    _give_up(memory_bytes)
    with socket.socket(fileno=descriptor) as channel:
        serve(channel, serving, cpu_s)


def serve(channel: socket.socket, handler: Handler, cpu_s: float | None = None) -> None:
    """Answer jobs until the channel is closed; each has `cpu_s` of processor time, else SIGPROF ends the process."""
    while True:
        try:
            request, body = wire.receive(channel)
        except EOFError:
            return
        if cpu_s is not None:
            signal.setitimer(signal.ITIMER_PROF, cpu_s)
        answer, result = _answer(handler, request, body)
        if cpu_s is not None:
            signal.setitimer(signal.ITIMER_PROF, 0)
        wire.send(channel, answer, result)


def _answer(handler: Handler, request: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        answer, result = handler(request, body)
        return {"answer": answer}, result
    except InkseekError as error:
        return {"rejected": type(error).__name__, "message": str(error)}, b""
    except MemoryError:
        return {"exceeded": "memory"}, b""
    except Exception as error:  # whatever a codec raises is this job's, not the process's
        return {"crashed": f"{type(error).__name__}: {error}"[:300]}, b""


def _give_up(memory_bytes: int) -> None:
    """No more memory than `memory_bytes` above the present use, no files, no core, no new privileges."""
    # RLIMIT_DATA and not RLIMIT_AS: libraries map far more addresses than they use.
    for limit, value in (
        (resource.RLIMIT_DATA, _data_bytes() + memory_bytes),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
    ):
        with suppress(ValueError, OSError):  # not every system can limit it
            resource.setrlimit(limit, (value, value))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's: it closes the channel


def _data_bytes() -> int:
    """Private writable memory of this process, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0
