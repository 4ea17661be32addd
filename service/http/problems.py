"""The only place where an error becomes an HTTP answer: RFC 9457 problem documents."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match, Mount

from index_builder.artifact import StoreUnavailable
from models.errors import InkseekError
from service.errors import (
    BodiesTooLarge,
    BodyTimeout,
    BodyTooLarge,
    EncodingUnsupported,
    KeyInvalid,
    KeyRequired,
    ParameterInvalid,
    Unavailable,
)
from service.http.problem_kinds import (
    HTTP_ERROR,
    INTERNAL,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    RANGE_NOT_SATISFIABLE,
    Kind,
    kind_of,
)
from service.http.root_path import current_root_path
from service.runtime.logs import current_request_id

MEDIA_TYPE = "application/problem+json"
ACCEPTED_CODINGS = ("gzip", "deflate")
"""Content codings of request bodies. Those of newer clients (br, zstd) need a library that the service lacks."""

_CHALLENGE = 'Bearer realm="Inkseek"'
_PATH_SHOWN = 200
_STORE_RETRY_S = 5  # a Milvus that restarts is away for longer than a busy one


def example(kind: Kind) -> dict[str, Any]:
    """A problem document of that kind, for the documentation."""
    return document(kind, kind.advice or kind.title)


def problem(error: InkseekError) -> dict[str, Any]:
    """The problem document of a typed error, as schemas.problem.Problem describes it."""
    kind = kind_of(error)
    # What these say (paths, versions, where Milvus is) is for the log.
    detail = kind.title if kind is INTERNAL or isinstance(error, StoreUnavailable) else str(error)
    faults = getattr(error, "fields", ())
    return document(kind, detail, [{"where": where, "what": what} for where, what in faults])


def problem_response(error: InkseekError) -> Response:
    """The whole answer to a typed error."""
    headers = {}
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, StoreUnavailable):
        headers["Retry-After"] = str(_STORE_RETRY_S)
    if isinstance(error, KeyRequired | KeyInvalid):
        # RFC 6750, section 3: a request without a key is not told of an error.
        headers["WWW-Authenticate"] = _CHALLENGE + (', error="invalid_token"' if isinstance(error, KeyInvalid) else "")
    if isinstance(error, EncodingUnsupported):
        headers["Accept-Encoding"] = ", ".join(ACCEPTED_CODINGS)  # RFC 9110, section 12.5.3
    if isinstance(error, BodyTooLarge | BodyTimeout | BodiesTooLarge):
        headers["Connection"] = "close"  # the rest of the body is not worth reading
    return _response(problem(error), headers)


def internal_response() -> Response:
    """The answer to an error that nobody foresaw."""
    return _response(document(INTERNAL, INTERNAL.title))


def install(app: FastAPI) -> None:
    """Make `app` answer every error with a problem."""
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)


def answer_to(request: Request, error: Exception) -> Response:
    """The answer to what a route raised; raises what is no typed error, or an internal one."""
    for kind, handler in _HANDLERS.items():
        if isinstance(error, kind):
            return handler(request, error)
    raise error


def _on_typed(request: Request, error: Exception) -> Response:
    assert isinstance(error, InkseekError)
    if kind_of(error) is INTERNAL:
        # To RequestScope, which logs it with its traceback and answers 500.
        raise error
    return problem_response(error)


def _on_invalid_parameters(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = []
    for fault in error.errors():
        where = ".".join(str(part) for part in fault["loc"])
        unknown = fault["type"] == "extra_forbidden"
        faults.append((where, "there is no such parameter" if unknown else str(fault["msg"])))
    detail = "; ".join(f"{where}: {what}" for where, what in faults)
    return problem_response(ParameterInvalid(detail, faults))


def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == METHOD_NOT_ALLOWED.status:
        headers["Allow"] = ", ".join(_allowed(request))
    return status_response(error.status_code, request.method, request.url.path, headers)


_HANDLERS: dict[type[Exception], Callable[[Request, Exception], Response]] = {
    InkseekError: _on_typed,
    RequestValidationError: _on_invalid_parameters,
    HTTPException: _on_http_error,
}


def _allowed(request: Request) -> list[str]:
    """The methods of every route with the path; Starlette names those of the first one alone."""
    tried = [(method, {**request.scope, "method": method}) for method in ("DELETE", "GET", "PATCH", "POST", "PUT")]
    methods = {
        method
        for method, scope in tried
        for route in request.app.routes
        if route.matches(scope)[0] is Match.FULL and (method == "GET" or not isinstance(route, Mount))
    }
    return sorted(methods | ({"HEAD"} if "GET" in methods else set()))


def status_response(status: int, method: str, path: str, headers: dict[str, str]) -> Response:
    """The answer to a request that failed with a bare status."""
    kinds = (NOT_FOUND, METHOD_NOT_ALLOWED, RANGE_NOT_SATISFIABLE)
    kind = next((kind for kind in kinds if kind.status == status), Kind(HTTP_ERROR.code, status, HTTP_ERROR.title))
    detail = f"{method} {path[:_PATH_SHOWN]}: {http.client.responses.get(status, kind.title).lower()}"
    return _response(document(kind, detail), headers)


def document(kind: Kind, detail: str, faults: Sequence[dict[str, str]] = ()) -> dict[str, Any]:
    """The problem document of a kind. `faults`: where and what, each."""
    made: dict[str, Any] = {
        "type": f"{current_root_path()}/docs#problem-{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "code": kind.code,
    }
    if faults:
        made["errors"] = list(faults)
    if request_id := current_request_id():
        made["request_id"] = request_id
    return made


def _response(made: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(made), made["status"], headers, media_type=MEDIA_TYPE)
