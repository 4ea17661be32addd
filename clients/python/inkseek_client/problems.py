"""Problem documents to typed errors."""

from __future__ import annotations

from pydantic import ValidationError

from inkseek_client.errors import (
    Conflict,
    CursorStale,
    Denied,
    KeyRejected,
    NotFound,
    RequestInvalid,
    ServiceFailed,
    ServiceProblem,
    SketchInvalid,
    TooLarge,
    TryLater,
)
from inkseek_client.schemas.problem import Problem

_OF_CODE: dict[str, type[ServiceProblem]] = {
    "sketch_empty": SketchInvalid,
    "sketch_solid": SketchInvalid,
    "strokes_invalid": SketchInvalid,
    "image_unreadable": SketchInvalid,
    "image_unsupported": SketchInvalid,
}
_OF_STATUS: dict[int, type[ServiceProblem]] = {
    401: KeyRejected,
    403: Denied,
    404: NotFound,
    409: Conflict,
    410: CursorStale,
    413: TooLarge,
    429: TryLater,
    503: TryLater,
}


def error_of(problem: Problem, retry_after_s: float | None = None) -> ServiceProblem:
    """The error of a problem document: by its code, else by its status, so that new codes have an error, too."""
    family = RequestInvalid if problem.status < 500 else ServiceFailed
    kind = _OF_CODE.get(problem.code) or _OF_STATUS.get(problem.status, family)
    return kind(problem, retry_after_s)


def error_of_answer(status: int, content: bytes, retry_after_s: float | None = None) -> ServiceProblem:
    """The error of an answer with a status of 400 or more."""
    try:
        problem = Problem.model_validate_json(content)
    except ValidationError:
        # A proxy in between has pages of its own: what it says is shown as far as a line holds it.
        shown = content[:200].decode("utf-8", "replace")
        problem = Problem(type="about:blank", title=f"HTTP {status}", status=status, detail=shown, code="http_error")
    return error_of(problem, retry_after_s)
