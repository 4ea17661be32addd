"""For orchestrators and monitoring."""

from __future__ import annotations

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from service.errors import NotReady
from service.http import examples
from service.http.openapi import ok, picture, problem_responses
from service.http.requests import process_of
from service.http.schemas.search import Alive, Readiness

router = APIRouter(tags=["operation"])


@router.get("/livez", summary="Is the process alive?", responses=ok("It is", {"status": "alive"}) | problem_responses())
async def livez() -> Alive:
    """Answers as long as the event loop turns."""
    return Alive(status="alive")


@router.get(
    "/readyz",
    summary="Are sketches answered right?",
    responses=ok("They are", examples.READY) | problem_responses(NotReady),
)
async def readyz(request: Request) -> Readiness:
    """Ready while a known sketch, asked again and again through the same threads as every request, is answered right.

    `index_update_problem` says why a newer index version is not in service, when one was published.
    """
    process = process_of(request)
    health = process.watch.health
    if trouble := health.trouble:
        raise NotReady(trouble)
    with process.serving.borrow() as retriever:
        state = retriever.room.state()
        return Readiness(
            status="ready",
            bundle_id=retriever.bundle.bundle_id,
            index_version=retriever.index.version,
            checked_s_ago=health.checked_s_ago or 0.0,
            index_update_problem=health.update_problem,
            adapters_active=len(state.active),
            adapters_outdated=len(state.outdated),
            online_problem=retriever.room.problem,
        )


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses=picture("Text exposition", "text/plain") | problem_responses(),
)
def metrics(request: Request) -> Response:
    """A histogram per stage, requests by route and status, queue, refusals, what is being served."""
    return Response(process_of(request).metrics.exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})
