"""The kind of route that the whole API has: it checks access, and rejects query parameters that it does not know."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from service.errors import ParameterInvalid
from service.http.auth import Access, require


class ApiRoute(APIRoute):
    """A route of a router made by `api_router`.

    It wraps the handler in place of a dependency, which takes FastAPI longer to resolve than the checks themselves.
    """

    access: ClassVar[Access | None] = None

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler behind the checks. It raises AccessDenied, ParameterInvalid."""
        handle = super().get_route_handler()
        access = self.access
        # A route with parameters has them in a schema that forbids others; FastAPI ignores them where there is none.
        takes_none = not self.dependant.query_params

        async def checked(request: Request) -> Response:
            if access is not None:
                require(request, access)
            if takes_none and request.scope["query_string"]:
                _reject_parameters(request)
            return await handle(request)

        return checked


def api_router(tag: str, access: Access | None) -> APIRouter:
    """A router whose routes need `access`; None for what orchestrators read."""

    class Route(ApiRoute):
        pass

    Route.access = access
    return APIRouter(tags=[tag], route_class=Route)


def _reject_parameters(request: Request) -> None:
    unknown = [(f"query.{name}", "there is no such parameter") for name in request.query_params]
    if unknown:
        raise ParameterInvalid("; ".join(f"{where}: {what}" for where, what in unknown), unknown)
