"""The id of the request being answered: taken from the client or made up, in every answer, problem and log line."""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar

HEADER = b"x-request-id"

_SANE = re.compile(rb"^[A-Za-z0-9._:/+=-]{1,128}$")  # what may be put into a header and a log line as it is
_current: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """The id of the request that this task answers; "" outside of one."""
    return _current.get()


def adopt_request_id(headers: list[tuple[bytes, bytes]]) -> str:
    """Make the client's `X-Request-ID` (a new one when it sent none that is sane) this task's, and return it."""
    sent = next((value for name, value in headers if name == HEADER), b"")
    request_id = sent.decode("ascii") if _SANE.match(sent) else secrets.token_hex(8)
    _current.set(request_id)
    return request_id
