"""Who makes a request, and what they may do: the seam where API keys enter.

Every request passes `Authentication`, which leaves a `Principal` for the routes; each router names the access that its
routes need (`service.http.route`). Until there are keys, everybody is `ANONYMOUS` and has every access.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast, get_args

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from models.errors import InkseekError
from service.errors import AccessDenied
from service.http.problems import problem_response

Access = Literal["search", "adapt", "write", "admin"]
"""search: sketches and the gallery; adapt: adapters; write: photos; admin: the service itself."""

_KEY = "inkseek.principal"


@dataclass(frozen=True, slots=True)
class Principal:
    """The one who makes a request: a name for logs and quotas, what it grants, and where.

    `galleries`: names of the galleries that it is bound to; None for all of them.
    """

    name: str
    access: frozenset[Access]
    galleries: frozenset[str] | None = None

    def may_see(self, gallery: str) -> bool:
        """Whether the gallery of that name exists for it: one that it is not bound to does not."""
        return self.galleries is None or gallery in self.galleries


ANONYMOUS = Principal("anonymous", frozenset(get_args(Access)))

Authenticate: TypeAlias = Callable[[Scope], Principal]
"""The ASGI scope of a request -> its principal. Raises an InkseekError, which is answered as its problem."""


def anonymous(scope: Scope) -> Principal:
    """Everybody may do everything."""
    return ANONYMOUS


class Authentication:
    """Finds the principal of each request and leaves it in the scope; what is rejected goes no further."""

    def __init__(self, app: ASGIApp, authenticate: Authenticate) -> None:
        """`authenticate` runs on the event loop: it must not block."""
        self._app = app
        self._authenticate = authenticate

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
        scope[_KEY] = principal  # not a copy: what routing adds to the scope is read by the outer middleware
        await self._app(scope, receive, send)


def principal_of(request: Request) -> Principal:
    """Who makes the request, as `Authentication` found it."""
    return cast(Principal, request.scope[_KEY])


def require(request: Request, access: Access) -> None:
    """Raises AccessDenied unless the principal has `access`."""
    principal = principal_of(request)
    if access not in principal.access:
        raise AccessDenied(f"{principal.name} may not do this: the access {access!r} is missing")
