"""The application: routes, middleware and problems put together around one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import metadata
from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from service.access.key_uses import FOLDER as USES
from service.access.key_uses import KeyUses
from service.access.keyring import Keyring
from service.access.networks import networks_of
from service.access.rate_limits import RateLimits
from service.config import Settings
from service.http import problems
from service.http.admission.auth import Authenticate, Authentication, KeyAuthentication
from service.http.admission.browsers import BrowserGuard, BrowserRules
from service.http.edge.compression import Compression
from service.http.edge.draining import Draining
from service.http.edge.failures import Failures
from service.http.edge.overload import Overload
from service.http.edge.proxies import Forwarded, TrustedProxies
from service.http.edge.refusals import KeepRefusals, Refusals
from service.http.edge.request_body import BodyLimits, RequestBody
from service.http.edge.request_scope import RequestScope
from service.http.express.searches import Searches
from service.http.forms.vector_body import MOST_BYTES as VECTOR_BYTES
from service.http.openapi.document import openapi_document
from service.http.root_path import RootPath
from service.http.route import ApiRoute, DirectRoutes
from service.http.routes import (
    categories,
    encoder,
    galleries,
    health,
    info,
    keys,
    page,
    photos,
    preview,
    reference,
    search,
    vector_search,
)
from service.http.routes.adaptation import adapters, feedback
from service.http.routes.changes import jobs
from service.http.routes.changes import photos as photo_changes
from service.http.schemas.vector import VECTOR_EXAMPLE, vector_example
from service.http.tenancy import GalleryPaths
from service.runtime.metrics import Metrics
from service.runtime.process import Process, started
from service.tracing.choice import traces_for
from service.tracing.traces import Traces

_DESCRIPTION = (
    "Draw what you have in mind, get the photo of it. Every error is an RFC 9457 problem whose `code` is meant for "
    "programs. Unknown query parameters and form fields are rejected with 422, so that a typo does not pass unseen; a "
    "path that does not exist is answered 404."
)
_TAGS = [
    {"name": "search", "description": "Sketch in, photos out."},
    {"name": "gallery", "description": "The photos that can be found."},
    {"name": "changes", "description": "Photos uploaded, described anew, deleted, while the gallery is served."},
    {"name": "adaptation", "description": "Adapt a category, or to a user's way of drawing, with a few examples."},
    {"name": "operation", "description": "For those who run the service."},
]
# What a page of another origin may read of an answer.
_READABLE_HEADERS = [
    "X-Request-ID", "Retry-After", "WWW-Authenticate", "Location", "RateLimit", "RateLimit-Policy",
    "Allow", "Accept-Encoding", "Accept-Ranges", "Content-Range", "ETag", "X-Inkseek-Thumbnail",
]  # fmt: skip
ROUTERS = (
    search.router,
    vector_search.router,
    encoder.router,
    preview.router,
    photos.router,
    photo_changes.router,
    jobs.jobs_router,
    jobs.router,
    categories.router,
    galleries.router,
    *adapters.ROUTERS,
    feedback.router,
    info.router,
    keys.router,
    *health.ROUTERS,
    reference.router,
    page.router,
)


def create_app(settings: Settings, authenticate: Authenticate | None = None, traces: Traces | None = None) -> FastAPI:
    """The service for `settings`. Nothing is opened before its lifespan begins.

    `authenticate` finds the principal of each request; None: by the API keys. `traces` records requests; None: as the
    settings say. Raises TracingUnavailable. The lifespan raises BundleError or
    IndexArtifactError when the bundle or index cannot serve, or not together; KeysUnreadable.
    """
    metrics = Metrics(settings.gallery_labels)
    key_uses = KeyUses(settings.online_folder / USES)
    keyring = Keyring(settings.key_path, uses=key_uses)
    limits = RateLimits(settings.rate_limit, settings.change_limit, settings.rate_limit_redis)
    if authenticate is None:
        authenticate = KeyAuthentication(keyring, frozenset(settings.anonymous_scopes))

    if traces is None:
        traces = traces_for(own_version(), spans=settings.traces, in_log=settings.log_format == "json")
    refusals = Refusals(metrics)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        keyring.has_keys()  # a damaged file fails the start, not each request
        metrics.build.labels(own_version()).set(1)
        async with started(settings, metrics) as app.state.process:
            refusals.places = app.state.process.workers
            app.openapi_schema = None  # one that was made before has not the example of this bundle
            if traces is not None:
                traces.open()
            yield
        await limits.close()
        if traces is not None:
            await asyncio.to_thread(traces.close)

    app = FastAPI(
        title="Inkseek",
        version=own_version(),
        description=_DESCRIPTION,
        openapi_tags=_TAGS,
        openapi_url=None,  # routes/reference.py: below a proxy's path its servers differ
        docs_url=None,  # FastAPI's own load their scripts from a CDN; ours is routes/reference.py
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        lifespan=lifespan,
    )
    app.openapi = lambda: openapi_document(app, _paths_of_galleries(), _vector_example(app))  # type: ignore[method-assign]  # FastAPI's documented way
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/page", page.PageFiles(directory=page.PAGE, check_dir=False))
    problems.install(app)
    app.state.rate_limits, app.state.refusals, app.state.key_uses = limits, refusals, key_uses
    rules = BrowserRules(settings.allowed_hosts, settings.cors_origins, keyring.has_keys)
    _add_layers(app, settings, rules, authenticate, metrics, refusals, traces)
    app.state.express = _express(app, settings, rules, authenticate, refusals, traces)
    return app


def _express(
    app: FastAPI,
    settings: Settings,
    rules: BrowserRules,
    authenticate: Authenticate,
    refusals: Refusals,
    traces: Traces | None,
) -> Searches | None:
    """The short way of plain searches; None where a proxy's path stands before every path."""
    if settings.root_path:
        return None
    return Searches(
        app,
        rules,
        authenticate,
        app.state.rate_limits,
        refusals,
        Forwarded(networks_of(settings.trusted_proxies)) if settings.trusted_proxies else None,
        most_bytes=settings.max_upload_bytes,
        shares_origins=bool(settings.cors_origins),
        read_only=settings.read_only,
        access_log=settings.access_log,
        traces=traces,
    )


def _add_layers(
    app: FastAPI,
    settings: Settings,
    rules: BrowserRules,
    authenticate: Authenticate,
    metrics: Metrics,
    refusals: Refusals,
    traces: Traces | None,
) -> None:
    """What every request passes; added last is outermost."""
    app.add_middleware(DirectRoutes, routes=[route for router in ROUTERS for route in router.routes])
    app.add_middleware(GalleryPaths)
    app.add_middleware(RequestBody, limits=body_limits(settings))
    app.add_middleware(Authentication, authenticate=authenticate, read_only=settings.read_only)
    app.add_middleware(BrowserGuard, rules=rules)
    app.add_middleware(Overload)
    app.add_middleware(Failures)
    if settings.cors_origins:
        # Outside of whatever answers, so that scripts can read every error; a preflight request brings no key.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["*"],
            allow_private_network=True,
            expose_headers=_READABLE_HEADERS,
        )
    app.add_middleware(RootPath, configured=settings.root_path)
    if settings.trusted_proxies:
        app.add_middleware(TrustedProxies, networks=networks_of(settings.trusted_proxies))
    app.add_middleware(Compression)
    app.add_middleware(RequestScope, metrics=metrics, access_log=settings.access_log, traces=traces)
    app.add_middleware(Draining)
    if not settings.access_log:  # which has a line for each request, with what is only known further inside
        app.add_middleware(KeepRefusals, refusals=refusals)


def body_limits(settings: Settings) -> BodyLimits:
    """Limits of request bodies; the largest one that is accepted fits into the memory of all, whatever that is."""
    of_paths = {
        "/adapters": settings.max_support_bytes,
        "/photos:batch": settings.max_change_bytes,
        "/search:vector": min(settings.max_upload_bytes, VECTOR_BYTES),
    }
    largest = max(settings.max_upload_bytes, *of_paths.values())
    return BodyLimits(settings.max_upload_bytes, of_paths, max(settings.max_bodies_bytes, largest))


def _paths_of_galleries() -> set[str]:
    routes = (route for router in ROUTERS for route in router.routes)
    return {route.path_format for route in routes if isinstance(route, ApiRoute) and route.of_gallery}


def _vector_example(app: FastAPI) -> dict[str, Any]:
    """An embedding that the service in front of the reader accepts: of its bundle's known drawing."""
    process: Process | None = getattr(app.state, "process", None)
    if process is None:
        return VECTOR_EXAMPLE
    bundle = process.serving.bundle
    return vector_example(bundle.bundle_id, bundle.known_embedding)


def own_version() -> str:
    """Version of the installed package; 0 when run from a folder that is not installed."""
    try:
        return metadata.version("inkseek")
    except metadata.PackageNotFoundError:
        return "0"


def route_paths(app: FastAPI) -> list[str]:
    """Every path of the API, as the documentation has to name them."""
    paths: dict[str, Any] = app.openapi()["paths"]
    return sorted(paths)
