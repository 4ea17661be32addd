"""The application: what is loaded when it starts, and which routes it answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import metadata
from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from service.config import Settings, load_settings
from service.http import openapi, problems
from service.http.middleware import BodyLimit, RequestScope
from service.http.requests import Process
from service.http.routes import adapters, categories, health, info, page, photos, preview, reference, search
from service.runtime.health import Watch
from service.runtime.logs import configure_logging
from service.runtime.metrics import Metrics
from service.runtime.serving import Serving, load_bundle, load_retriever
from service.runtime.workers import Teaching, Workers

_log = logging.getLogger("inkseek.service")

_LESSONS_AT_ONCE = 2  # their bodies are in memory, `max_support_bytes` each at worst

_DESCRIPTION = (
    "Draw what you have in mind, get the photo of it. Every error is an RFC 9457 problem whose `code` is meant for "
    "programs. Unknown query parameters and form fields are refused, so that a typo does not pass unseen."
)
_TAGS = [
    {"name": "search", "description": "Sketch in, photos out."},
    {"name": "gallery", "description": "The photos that can be found."},
    {"name": "adaptation", "description": "Teach a category, or how a person draws, from a few examples."},
    {"name": "operation", "description": "For those who run the service."},
]


def create_app(settings: Settings) -> FastAPI:
    """The service for `settings`. Nothing is opened before its lifespan begins.

    The lifespan raises BundleError or IndexArtifactError when the bundle or index cannot serve, or not together.
    """
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _process(settings, metrics) as app.state.process:
            yield

    app = FastAPI(
        title="Inkseek",
        version=own_version(),
        description=_DESCRIPTION,
        openapi_tags=_TAGS,
        docs_url=None,  # FastAPI's own load their scripts from a CDN; ours is routes/reference.py
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.openapi = lambda: openapi.document(app)  # type: ignore[method-assign]  # FastAPI's documented way
    for module in (search, preview, photos, categories, adapters, info, health, reference, page):
        app.include_router(module.router)
    app.mount("/page", page.PageFiles(directory=page.PAGE, check_dir=False))
    problems.install(app)
    # Added last is outermost.
    app.add_middleware(BodyLimit, max_bytes=settings.max_upload_bytes, larger={"/adapters": settings.max_support_bytes})
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["*"],
            expose_headers=["X-Request-ID", "Retry-After"],
        )
    app.add_middleware(RequestScope, metrics=metrics, access_log=settings.access_log)
    return app


def create_app_from_environment() -> FastAPI:
    """The service for the INKSEEK_* variables: what worker processes start."""

    settings = load_settings()
    configure_logging(settings.log_level, settings.log_format)
    return create_app(settings)


def own_version() -> str:
    """Version of the installed package; 0 when run from a folder that is not installed."""
    try:
        return metadata.version("inkseek")
    except metadata.PackageNotFoundError:
        return "0"


@asynccontextmanager
async def _process(settings: Settings, metrics: Metrics) -> AsyncIterator[Process]:
    """Everything that lives as long as the process, closed in the opposite order."""
    bundle = await asyncio.to_thread(load_bundle, settings)
    retriever = await asyncio.to_thread(load_retriever, settings, bundle)
    serving = Serving.of(retriever)
    workers = Workers(settings.worker_threads, settings.queue_size, settings.request_timeout_s, metrics)
    watch = Watch(settings, serving, workers, metrics)
    await watch.check_answers()
    watching = asyncio.create_task(watch.run())
    _log.info(
        "serving %d photos of index %s with bundle %s on %s, %d threads",
        retriever.index.count,
        serving.version,
        bundle.bundle_id,
        bundle.providers[0],
        workers.threads,
    )
    try:
        yield Process(settings, serving, workers, watch, metrics, Teaching(_LESSONS_AT_ONCE, metrics))
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await asyncio.to_thread(workers.close)
        serving.close()
        metrics.retire_process()


def route_paths(app: FastAPI) -> list[str]:
    """Every path of the API, as the documentation has to name them."""
    paths: dict[str, Any] = app.openapi()["paths"]
    return sorted(paths)
