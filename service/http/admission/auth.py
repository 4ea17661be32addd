"""Who makes a request, and what they may do: the seam where API keys enter.

Every request passes `Authentication`, which leaves a `Principal` for the routes; each router names the access that its
routes need (`service.http.route`). A service without keys serves everybody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, cast

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from models.errors import InkseekError
from service.access.keyring import Keyring
from service.access.principal import EVERYBODY, Access, Principal, without_key
from service.errors import AccessDenied, KeyInvalid, KeyRequired, ReadOnly
from service.http.problems import problem_response

Authenticate: TypeAlias = Callable[[Scope], Principal]
"""The ASGI scope of a request -> its principal. Raises an InkseekError, which is answered as its problem."""

CHANGING: frozenset[Access] = frozenset({"adapt", "write", "admin"})
"""Accesses whose requests, but for GET and HEAD, change something."""

_PRINCIPAL = "inkseek.principal"
_READ_ONLY = "inkseek.read_only"
_BEARER = b"bearer "


class KeyAuthentication:
    """Finds the principal by the API key of a request; where there are no keys, everybody is one who may do all."""

    def __init__(self, keyring: Keyring, anonymous_access: frozenset[Access]) -> None:
        """`anonymous_access`: of requests without a key, once there are keys."""
        self._keyring = keyring
        self._without_key = without_key(anonymous_access)

    def __call__(self, scope: Scope) -> Principal:
        """Raises KeyInvalid for a key that is not good, even where none is needed: a client learns of it at once."""
        if not self._keyring.has_keys():
            return EVERYBODY  # what a proxy before the service authenticates with is none of our business
        token = token_of(scope)
        return self._without_key if token is None else self._keyring.principal_of(token)


def token_of(scope: Scope) -> str | None:
    """What `Authorization: Bearer` or `X-API-Key` holds; other schemes are somebody else's.

    Raises KeyInvalid when a request brings two that differ: which of them would count is anybody's guess.
    """
    tokens = set()
    for name, value in scope["headers"]:
        if name == b"x-api-key":
            tokens.add(value.strip())
        elif name == b"authorization" and value[: len(_BEARER)].lower() == _BEARER:
            tokens.add(value[len(_BEARER) :].strip())
    if len(tokens) > 1:
        raise KeyInvalid("the request brings two different keys")
    return tokens.pop().decode("latin-1") if tokens else None


class Authentication:
    """Finds the principal of each request and leaves it in the scope; what is rejected goes no further."""

    def __init__(self, app: ASGIApp, authenticate: Authenticate, read_only: bool = False) -> None:
        """`authenticate` runs on the event loop: it must not block. `read_only`: nobody may change anything."""
        self._app = app
        self._authenticate = authenticate
        self._read_only = read_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; what is no HTTP request passes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            principal = self._authenticate(scope)
        except InkseekError as error:
            await problem_response(error)(scope, receive, send)
            return
        # Not into a copy: what routing adds to the scope is read by the outer middleware.
        leave_principal(scope, principal, read_only=self._read_only)
        await self._app(scope, receive, send)


def leave_principal(scope: Scope, principal: Principal, *, read_only: bool) -> None:
    """Make it known to the routes who makes the request, and whether anything may be changed."""
    scope[_PRINCIPAL] = principal
    scope[_READ_ONLY] = read_only


def principal_of(request: Request) -> Principal:
    """Who makes the request, as `Authentication` found it."""
    return cast(Principal, request.scope[_PRINCIPAL])


def require(request: Request, access: Access, own: Access | None = None) -> None:
    """Raises AccessDenied unless the principal has `access`; KeyRequired when a key is what is missing.

    `own`: what lets a key in as well, to what it made itself; the route leaves out everything else.
    """
    principal = principal_of(request)
    if access in principal.access or (principal.key_id is not None and own in principal.access):
        return
    if principal.key_id is None:
        raise KeyRequired(f"this needs an API key with the scope {access!r}")
    raise AccessDenied(f"{principal.name} may not do this: the scope {access!r} is missing")


def require_change(request: Request) -> None:
    """Raises ReadOnly when the service changes nothing for anybody."""
    if request.scope[_READ_ONLY]:
        raise ReadOnly("this service is read-only: it searches, and neither adapts nor takes photos")


def granted(request: Request) -> list[Access]:
    """What the request may do as things are, in a fixed order: without what `read_only` takes from everybody."""
    access = principal_of(request).access
    return sorted(access - CHANGING if request.scope[_READ_ONLY] else access)
