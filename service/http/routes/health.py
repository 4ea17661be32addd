"""For orchestrators and monitoring."""

from __future__ import annotations

from fastapi import Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from service.errors import NotReady
from service.http.openapi.responses import ok, picture, problem_responses
from service.http.route import api_router
from service.http.schemas.operation import READY_EXAMPLE, Alive, Readiness
from service.http.serving import process_of

router = api_router("operation", None)
metrics_router = api_router("operation", "admin", of_gallery=False)


@router.get("/livez", summary="Is the process alive?", responses=ok("It is", {"status": "alive"}) | problem_responses())
async def get_liveness() -> Alive:
    """Answers as long as the event loop turns."""
    # On the event loop, without a thread: it has to answer while all of them are taken.
    return Alive(status="alive")


@router.get(
    "/readyz",
    summary="Are sketches answered right?",
    responses=ok("They are", READY_EXAMPLE) | problem_responses(NotReady),
)
async def get_readiness(request: Request) -> Readiness:
    """Ready while a known sketch, sent again and again through the same threads as every request, is answered right.

    `index_update_problem` says why the published index version is not in service: it cannot be loaded, or another
    bundle made it.
    """
    process = process_of(request)
    health, galleries = process.monitor.health, process.galleries
    if trouble := health.trouble:
        raise NotReady(trouble)
    with process.serving.borrow() as retriever:
        state = retriever.store.state()
        return Readiness(
            status="ready",
            bundle_id=retriever.bundle.bundle_id,
            index_version=retriever.index.version,
            index_published_version=health.published_version,
            index_created_at=retriever.index.manifest.created_at,
            checked_s_ago=health.checked_s_ago or 0.0,
            index_update_problem=health.update_problem,
            adapters_active=len(state.active),
            adapters_outdated=len(state.outdated),
            online_problem=retriever.store.problem,
            galleries_open=len(galleries.open_names),
            galleries_failed=len(galleries.failures),
            galleries_memory_bytes=galleries.memory_bytes,
        )


@metrics_router.get(
    "/metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses=picture("Text exposition", "text/plain") | problem_responses(),
)
def get_metrics(request: Request) -> Response:
    """A histogram per stage, requests by route and status, queue, rejections, what is being served."""
    process = process_of(request)
    process.metrics.ready.set(process.monitor.health.trouble is None)  # an answer grows too old between two checks
    return Response(process.metrics.exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})


ROUTERS = (router, metrics_router)
