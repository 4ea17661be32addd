"""The answers of a route as the document describes them: what it gives, and every problem that it may answer."""

from __future__ import annotations

import copy
from typing import Any, TypeAlias

from models.errors import InkseekError
from service.access.principal import Access
from service.errors import (
    AccessDenied,
    CrossSite,
    HostUnknown,
    KeyInvalid,
    KeyRequired,
    ParameterInvalid,
    RateLimited,
    ReadOnly,
)
from service.http import problem_kinds, problems
from service.http.openapi.schema_refs import BINARY, ref

Responses: TypeAlias = dict[int | str, dict[str, Any]]

_OF_EVERY_HEAD = (problem_kinds.MALFORMED, problem_kinds.HEAD_TOO_LARGE)

SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A key of `inkseek keys create`. A service without keys serves everybody.",
    },
    "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same key."},
}


def problem_responses(*errors: type[InkseekError]) -> Responses:
    """The `responses` of a route that may answer these errors; every route may also answer 422 and 500.

    422: a query parameter that is unknown or wrong.
    """
    kinds = dict.fromkeys(
        [*(problem_kinds.KINDS[error] for error in (*errors, ParameterInvalid)), problem_kinds.INTERNAL]
    )
    responses: Responses = {}
    for kind in kinds:
        _add_kind(responses, kind)
    return responses


def access_responses(responses: Responses, access: Access | None, *, changes: bool, posts: bool) -> Responses:
    """`responses` and how requests are answered that may not do this, or come from elsewhere.

    `changes`: the route is off in a read-only service. `posts`: it takes something else than GET.
    """
    errors: list[type[InkseekError]] = [HostUnknown]
    errors += [] if access is None else [KeyRequired, KeyInvalid, AccessDenied, RateLimited]
    errors += [ReadOnly] if changes else []
    errors += [CrossSite] if posts else []
    described = copy.deepcopy(responses)
    for kind in (*(problem_kinds.KINDS[error] for error in errors), *_OF_EVERY_HEAD):
        _add_kind(described, kind)
    return described


def security(access: Access, own: Access | None = None) -> list[dict[str, list[str]]]:
    """The security of an operation that needs `access`: a key in either header, or none where there are no keys.

    `own`: the scope of keys for which it shows what they made themselves.
    """
    scopes: list[str] = [access] if own is None else [access, own]
    return [*({name: [scope]} for scope in scopes for name in SECURITY_SCHEMES), {}]


def _add_kind(responses: Responses, kind: problem_kinds.Kind) -> None:
    """A status has one response in OpenAPI: kinds that share it become examples of that one."""
    media = {"schema": ref("Problem"), "examples": {}}
    response = responses.setdefault(kind.status, {"description": "", "content": {problems.MEDIA_TYPE: media}})
    response["content"][problems.MEDIA_TYPE]["examples"][kind.code] = {
        "summary": kind.title,
        "value": problems.example(kind),
    }
    response["description"] += f"{'; ' if response['description'] else ''}`{kind.code}`: {kind.title.lower()}"
    if kind.status in (429, 503):
        response["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}


def picture(description: str, *media_types: str) -> Responses:
    """The 200 of a route that answers something other than JSON."""
    schema = {"type": "string"} if media_types == ("text/plain",) else BINARY
    return {
        200: {"description": description, "content": {media_type: {"schema": schema} for media_type in media_types}}
    }


def ok(description: str, example: Any) -> Responses:
    """The 200 of a JSON route, with an example."""
    return {200: {"description": description, "content": {"application/json": {"example": example}}}}


def created(description: str, example: Any) -> Responses:
    """The 201 of a JSON route, with an example."""
    return {201: {"description": description, "content": {"application/json": {"example": example}}}}


def accepted(description: str, example: Any) -> Responses:
    """The 202 of a JSON route, with an example."""
    return {202: {"description": description, "content": {"application/json": {"example": example}}}}
