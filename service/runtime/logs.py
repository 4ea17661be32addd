"""Log lines for people or for machines, both with the request's id."""

from __future__ import annotations

import copy
import json
import logging
import sys
import threading
import time
from contextvars import ContextVar
from types import TracebackType
from typing import Literal, TextIO

from service.tracing.trace_context import current_trace

_log = logging.getLogger("inkseek.service")
_OWN_FIELDS = ("method", "path", "status", "duration_ms")
# Control characters, and what Unicode calls line and paragraph separators: paths and messages may hold any of them.
_ESCAPED = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {0x2028: "\\u2028", 0x2029: "\\u2029"}

_request_id: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """The id of the request that this task answers; "" outside of one."""
    return _request_id.get()


def bind_request_id(request_id: str) -> None:
    """Make `request_id` this task's, in its log lines and in those of the jobs that it starts."""
    _request_id.set(request_id)


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := current_request_id():
            line["request_id"] = request_id
        if trace := current_trace():
            line |= trace._asdict()
        line.update({name: getattr(record, name) for name in _OWN_FIELDS if hasattr(record, name)})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class PlainFormatter(logging.Formatter):
    """`10:31:07 warning inkseek.service [request id] message`."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        record.level = record.levelname.lower()
        request_id = current_request_id()
        record.request = f" [{request_id}]" if request_id else ""
        # A copy: other handlers get the message as it was. A traceback keeps its lines.
        safe = copy.copy(record)
        safe.msg, safe.args = record.getMessage().translate(_ESCAPED), None
        return super().format(safe)


class _StandardErrorHandler(logging.StreamHandler[TextIO]):
    """Writes to what `sys.stderr` is at the time: whoever replaced it may have closed the one of before."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def _log_exception(kind: type[BaseException], error: BaseException | None, traceback: TracebackType | None) -> None:
    """An error that nobody caught, as a line of the log's own format."""
    if not issubclass(kind, KeyboardInterrupt):
        _log.critical("%s", kind.__name__, exc_info=(kind, error or kind(), traceback))


def configure_logging(level: str, style: Literal["plain", "json"]) -> None:
    """Send the log of this process to standard error: ours from `level` on, others' warnings, errors nobody caught."""
    handler = _StandardErrorHandler()
    if style == "json":
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(PlainFormatter("%(asctime)s %(level)s %(name)s%(request)s %(message)s", "%H:%M:%S"))
    logging.captureWarnings(True)
    sys.excepthook = _log_exception
    threading.excepthook = lambda failed: _log_exception(failed.exc_type, failed.exc_value, failed.exc_traceback)
    root = logging.getLogger()
    # Replaced, not added: configured twice, a process would write each line twice.
    root.handlers[:] = [handler]
    root.setLevel("WARNING")
    for name in ("inkseek", "uvicorn.error"):
        logging.getLogger(name).setLevel(level.upper())
