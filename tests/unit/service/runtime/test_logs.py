"""Log lines: what they hold, that none can be forged, and where they go."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from service.runtime.logs import JsonFormatter, PlainFormatter, bind_request_id, configure_logging


def record(message: str = "done", **fields: Any) -> logging.LogRecord:
    made = logging.LogRecord("inkseek.access", logging.INFO, "", 1, message, (), None)
    vars(made).update(fields)
    return made


def test_log_lines_carry_the_request_id() -> None:
    bind_request_id("r-9")
    line = json.loads(JsonFormatter().format(record(path="/x", duration_ms=1.5, secret="no")))
    assert (line["request_id"], line["path"], line["duration_ms"]) == ("r-9", "/x", 1.5)
    assert "secret" not in line
    assert PlainFormatter("%(level)s%(request)s %(message)s").format(record()) == "info [r-9] done"


def test_a_log_line_cannot_be_forged() -> None:
    forged = record("GET /\n10:00:00 info inkseek.service all is well\x1b[2J\u2028\x85 404")
    (line,) = PlainFormatter("%(level)s %(message)s").format(forged).splitlines()
    assert line == "info GET /\\x0a10:00:00 info inkseek.service all is well\\x1b[2J\\u2028\\x85 404"
    assert len(JsonFormatter().format(forged).splitlines()) == 1
    failed = record("it failed")
    try:
        raise ValueError("a\nb")
    except ValueError:
        failed.exc_info = sys.exc_info()
    assert PlainFormatter("%(message)s").format(failed).startswith("it failed\nTraceback")


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("inkseek")
    before = root.handlers[:], root.level, ours.level, logging.getLogger("uvicorn.error").level
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])
    logging.getLogger("uvicorn.error").setLevel(before[3])


@pytest.mark.usefixtures("logging_as_before")
def test_logging_is_set_up_for_people_or_machines() -> None:
    root, ours = logging.getLogger(), logging.getLogger("inkseek")
    for style, formatter in (("json", JsonFormatter), ("plain", PlainFormatter)):
        configure_logging("debug", style)  # type: ignore[arg-type]
        (handler,) = root.handlers
        assert isinstance(handler.formatter, formatter)
        assert (ours.level, root.level) == (logging.DEBUG, logging.WARNING)


@pytest.mark.usefixtures("logging_as_before")
def test_a_line_goes_to_what_standard_error_is_when_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", first)
    configure_logging("info", "plain")
    first.close()
    monkeypatch.setattr(sys, "stderr", second)
    logging.getLogger("inkseek").info("still told")
    assert "still told" in second.getvalue() and "Logging error" not in second.getvalue()
