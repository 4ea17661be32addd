"""JSON responses from plain dicts: they are made by the thousand, and validating our own answers would cost more."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json
from starlette.responses import Response


def json_bytes(document: Any) -> bytes:
    """JSON in UTF-8; a metadata number that JSON cannot express becomes null."""
    return to_json(document, inf_nan_mode="null")


def json_response(document: Any, status: int = 200) -> Response:
    """The whole response; `document` may be JSON already, as bytes from a worker thread."""
    content = document if isinstance(document, bytes) else json_bytes(document)
    return Response(content, status, media_type="application/json")
