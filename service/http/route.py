"""The kind of route that the whole API has: it checks access, and rejects query parameters that it does not know."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from inspect import iscoroutinefunction
from typing import Any, ClassVar, get_type_hints

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from service.access.principal import Access
from service.errors import ParameterInvalid
from service.http.admission.auth import CHANGING, require, require_change
from service.http.admission.metering import charge
from service.http.openapi.responses import access_responses, security
from service.http.problems import answer_to
from service.http.query_params import QueryReader
from service.http.tenancy import gallery_lease, names_gallery

_READING = {"GET", "HEAD"}
_PICTURES = ("/thumbnail", "/image")


class ApiRoute(APIRoute):
    """A route of a router made by `api_router`.

    It wraps the handler in place of a dependency, which takes FastAPI longer to resolve than the checks themselves.
    """

    access: ClassVar[Access | None] = None
    own: ClassVar[Access | None] = None
    of_gallery: ClassVar[bool] = False

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """As a route of FastAPI; its documentation says which scope it needs, and how it is answered without."""
        posts = not set(options.get("methods") or ()) <= _READING
        options["responses"] = access_responses(
            options.get("responses") or {}, self.access, changes=self.access in CHANGING and posts, posts=posts
        )
        if self.access is not None:
            options["openapi_extra"] = {
                **(options.get("openapi_extra") or {}),
                "security": security(self.access, self.own),
            }
        super().__init__(path, endpoint, **options)

    @property
    def changes(self) -> bool:
        """Whether the route changes something, so that a read-only service denies it."""
        return self.access in CHANGING and not (self.methods or set()) <= _READING

    @property
    def is_metered(self) -> bool:
        """Whether requests count towards limits: not those of monitoring, nor the dozens of pictures of one search."""
        return (self.access not in (None, "admin") or self.changes) and not self.path.endswith(_PICTURES)

    @property
    def is_direct(self) -> bool:
        """Whether its handler needs nothing of FastAPI, and its path names nothing."""
        return self._direct() is not None and not self.dependant.path_params

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler behind the checks of access, gallery and parameters, and it raises what these do."""
        handle = self._direct() or super().get_route_handler()
        access, own, changes, of_gallery = self.access, self.own, self.changes, self.of_gallery
        metered = self.is_metered
        # A route with parameters has them in a schema that forbids others; FastAPI ignores them where there is none.
        takes_none = not self.dependant.query_params

        async def checked(request: Request) -> Response:
            if access is not None:
                require(request, access, own)
            if changes:
                require_change(request)
            if metered:
                await charge(request, changes=changes)
            if takes_none and request.scope["query_string"]:
                reject_parameters(request)
            if not of_gallery:
                if names_gallery(request.scope):  # such a route lies below no gallery
                    raise HTTPException(404)
                return await handle(request)
            async with gallery_lease(request):
                return await handle(request)

        return checked

    def _direct(self) -> Callable[[Request], Coroutine[Any, Any, Response]] | None:
        """The endpoint called without FastAPI, where it is `async`, takes query parameters alone and makes a Response.

        Those are the routes that are called by the thousand.
        """
        endpoint, dependant = self.endpoint, self.dependant
        others = (dependant.path_params, dependant.header_params, dependant.cookie_params, dependant.dependencies)
        if not iscoroutinefunction(endpoint) or any(others) or dependant.body_params:
            return None
        hints = get_type_hints(endpoint)
        if hints.get("return") is not Response or set(hints) != {"request", "params", "return"}:
            return None
        reader = QueryReader(hints["params"])

        async def handle(request: Request) -> Response:
            response: Response = await endpoint(request=request, params=reader.read(request.scope["query_string"]))
            return response

        return handle


class DirectRoutes:
    """Calls the routes that are called by the thousand by their paths, before Starlette tries route after route.

    That takes 0.15 ms, with the stacks of exits that FastAPI keeps for dependencies; these routes have none.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute]) -> None:
        """`app` answers everything else."""
        self._app = app
        self._direct = {
            (method, route.path): (route, route.get_route_handler())
            for route in routes
            if isinstance(route, ApiRoute) and route.is_direct
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        found = None
        if scope["type"] == "http" and not scope.get("root_path"):
            found = self._direct.get((scope["method"], scope["path"]))
        if found is None:
            await self._app(scope, receive, send)
            return
        scope["route"], handle = found  # the outer middleware reads from the scope which route answered
        request = Request(scope, receive, send)
        try:
            response = await handle(request)
        except Exception as error:
            response = answer_to(request, error)
        await response(scope, receive, send)


def api_router(tag: str, access: Access | None, *, of_gallery: bool = True, own: Access | None = None) -> APIRouter:
    """A router whose routes need `access`; None for what orchestrators read. `own`: see `auth.require`.

    `of_gallery`: the routes are served from a gallery, the default one or the one of their path. Without `access` they
    never are.
    """

    class Route(ApiRoute):
        pass

    Route.own = own
    Route.access, Route.of_gallery = access, of_gallery and access is not None
    return APIRouter(tags=[tag], route_class=Route)


def reject_parameters(request: Request) -> None:
    """Raises ParameterInvalid where a request has any query parameter."""
    unknown = [(f"query.{name}", "there is no such parameter") for name in request.query_params]
    if unknown:
        raise ParameterInvalid("; ".join(f"{where}: {what}" for where, what in unknown), unknown)
