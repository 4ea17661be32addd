"""API keys: listed, made and revoked over HTTP, by whoever has a key with the scope `admin`."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from service.access.errors import KeyNotFound, KeysUnreadable, KeysUnwritable
from service.access.key_management import create, revoke, visible_keys
from service.access.key_uses import KeyUses
from service.access.keys import ApiKey
from service.access.rate_limits import RateLimits, Usage
from service.errors import BodyInvalid
from service.http.admission.auth import principal_of
from service.http.forms.key_body import read_key_request
from service.http.json_response import json_response
from service.http.openapi.responses import created, ok, problem_responses
from service.http.route import api_router
from service.http.routes.search import TRAFFIC_ERRORS
from service.http.schemas.keys import (
    KEYS_EXAMPLE,
    MADE_KEY_EXAMPLE,
    NEW_KEY_BODY,
    Keys,
    MadeKey,
    key_json,
)
from service.http.serving import process_of, read_upload

router = api_router("operation", "admin", of_gallery=False)

KeyId = Annotated[
    str,
    Path(
        description="A key's id, the middle part of the key.",
        examples=["5f0c2d9a71be"],
        json_schema_extra={"minLength": 1, "pattern": "^[^/]+$"},
    ),
]


@router.get(
    "/v1/keys",
    summary="List the API keys",
    response_model=Keys,
    responses=ok("Without their secrets", KEYS_EXAMPLE) | problem_responses(KeysUnreadable),
)
async def list_keys(request: Request) -> Response:
    """What each grants, until when, its last use, and what is left of its limits; revoked and expired ones too.

    A key that is bound to galleries sees those that are bound to no others. A service without keys answers none.
    """
    path = process_of(request).settings.key_path
    keys = await run_in_threadpool(visible_keys, path, principal_of(request))
    return json_response(
        {"keys": [key_json(key, _uses(request).last_used_at(key.key_id), await _left(request, key)) for key in keys]}
    )


@router.post(
    "/v1/keys",
    summary="Make an API key",
    status_code=201,
    response_model=MadeKey,
    responses=created("The key, shown this once", MADE_KEY_EXAMPLE)
    | problem_responses(BodyInvalid, KeysUnreadable, KeysUnwritable, *TRAFFIC_ERRORS),
    openapi_extra=NEW_KEY_BODY,
)
async def create_key(request: Request) -> Response:
    """With the request's own key, which has to have its scopes and galleries, and may not expire before it.

    The service keeps its SHA-256 alone. Every process accepts the key within a second. The first key is made where the
    service runs, by `inkseek keys create`.
    """
    wanted = read_key_request((await read_upload(request)).body)
    path = process_of(request).settings.key_path
    made = await run_in_threadpool(create, path, principal_of(request), wanted)
    shown = key_json(made.key, None, await _left(request, made.key))
    response = json_response({**shown, "key": made.token}, 201)
    response.headers["Cache-Control"] = "no-store"
    return response


@router.delete(
    "/v1/keys/{key_id}",
    summary="Revoke an API key",
    status_code=204,
    responses=problem_responses(KeyNotFound, KeysUnreadable, KeysUnwritable),
)
def revoke_key(request: Request, key_id: KeyId) -> Response:
    """For good: requests with it are denied within a second. It stays in the list; a second time changes nothing.

    The request's own key has to have each scope and gallery of the one that it revokes.
    """
    revoke(process_of(request).settings.key_path, principal_of(request), key_id)
    return Response(status_code=204)


def _uses(request: Request) -> KeyUses:
    return cast(KeyUses, request.app.state.key_uses)


async def _left(request: Request, key: ApiKey) -> tuple[Usage, ...]:
    return await cast(RateLimits, request.app.state.rate_limits).usage(key.principal)
