"""Sketch in, photos out."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import Response

from index_builder.artifact import FilterInvalid, StoreUnavailable
from models.bundle import ImageTooLarge, ImageUnreadable, ImageUnsupported, SketchEmpty, SketchSolid, StrokesInvalid
from models.errors import InkseekError
from service.errors import (
    BatchTooLarge,
    BodiesTooLarge,
    BodyInvalid,
    BodyTimeout,
    BodyTooLarge,
    CursorInvalid,
    CursorStale,
    DeadlineExceeded,
    EncodingUnsupported,
    QueueFull,
    UnknownCategory,
    UnknownProfile,
)
from service.http.admission.metering import charge
from service.http.forms.body import Upload, read_batch, read_single
from service.http.json_response import AnswerWriter, json_response
from service.http.openapi.request_bodies import BATCH_BODY, SKETCH_BODY
from service.http.openapi.responses import ok, problem_responses
from service.http.own_profile import in_own_style
from service.http.problems import problem
from service.http.route import api_router
from service.http.schemas.answers import BATCH_EXAMPLE, SEARCH_EXAMPLE, BatchAnswer, SearchAnswer, search_json
from service.http.schemas.base import PhotoUrls
from service.http.schemas.search import BatchParams, SearchParams
from service.http.serving import SketchJob, ThreadJobs, answer_sketch, answer_work, process_of, read_upload, urls_of
from service.http.tenancy import base_path, tenant_of
from service.runtime.metrics import Metrics
from service.search.query import SearchQuery
from service.search.results import SearchResult
from service.search.retriever import Retriever
from service.sketches.sketch import Sketch

router = api_router("search", "search")

SKETCH_ERRORS = (
    ImageTooLarge,
    ImageUnreadable,
    ImageUnsupported,
    SketchEmpty,
    SketchSolid,
    StrokesInvalid,
    BodyInvalid,
)
TRAFFIC_ERRORS = (BodyTooLarge, BodyTimeout, BodiesTooLarge, EncodingUnsupported, QueueFull, DeadlineExceeded)
NARROWING_ERRORS = (UnknownCategory, FilterInvalid)
PAGE_ERRORS = (CursorInvalid, CursorStale)

_WRITER = AnswerWriter()


@router.post(
    "/v1/search",
    summary="Find the photos most like a sketch",
    response_model=SearchAnswer,
    responses=ok("The k best photos", SEARCH_EXAMPLE)
    | problem_responses(
        *SKETCH_ERRORS, *TRAFFIC_ERRORS, StoreUnavailable, *NARROWING_ERRORS, *PAGE_ERRORS, UnknownProfile
    ),
    openapi_extra=SKETCH_BODY,
)
async def search(request: Request, params: Annotated[SearchParams, Query()]) -> Response:
    """Fewer than k photos are answered only when fewer match. `score` is a cosine, but rescaled within one category."""
    return json_response(await answer_sketch(request, search_job(request, await read_upload(request), params)))


def search_job(request: Request, upload: Upload, params: SearchParams) -> SketchJob[bytes]:
    """The work of one search, which results in the answer's JSON."""
    metrics, base = process_of(request).metrics, base_path(request)

    # JSON is parsed and written where the sketch is encoded.
    def read(retriever: Retriever) -> Sketch:
        return read_single(upload, retriever.decoder.strokes)

    def render(retriever: Retriever, result: SearchResult) -> bytes:
        return written(result, metrics, urls_of(retriever, base))

    return SketchJob(request, in_own_style(request, params.as_query), read, render, body_bytes=len(upload.body))


@router.post(
    "/v1/search:batch",
    summary="Search with several sketches",
    response_model=BatchAnswer,
    responses=ok("One entry per item, in order", BATCH_EXAMPLE)
    | problem_responses(
        BodyInvalid, BatchTooLarge, *TRAFFIC_ERRORS, StoreUnavailable, *NARROWING_ERRORS, UnknownProfile
    ),
    openapi_extra=BATCH_BODY,
)
async def search_batch(request: Request, params: Annotated[BatchParams, Query()]) -> Response:
    """Each item is answered as if it had been sent alone; one that cannot be is answered with its problem."""
    upload, query = await read_upload(request), in_own_style(request, params.to_query())
    return json_response({"items": await answer_work(request, lambda: _search_each(request, upload, query))})


def written(result: SearchResult, metrics: Metrics, urls: PhotoUrls) -> bytes:
    """A result as SearchAnswer, in JSON, counted in `metrics`."""
    _count(result, metrics)
    return _WRITER.written(result, urls)


def _count(result: SearchResult, metrics: Metrics) -> None:
    metrics.observe_stages(result.timings_ms)
    best = (result.photos[0].score, result.photos[0].confidence) if result.photos else None
    metrics.observe_answer(best, result.no_good_match)


async def _search_each(request: Request, upload: Upload, query: SearchQuery) -> list[dict[str, Any]]:
    process, base = process_of(request), base_path(request)

    def begin(retriever: Retriever) -> list[Sketch | InkseekError]:
        retriever.check(query)  # the query is every item's: wrong, it is no item's problem
        return read_batch(upload, process.settings.max_batch_items, retriever.decoder.strokes)

    sketches = await ThreadJobs(request, aside=True)(begin)
    await charge(request, changes=False, cost=len(sketches) - 1)  # one was counted when the request came

    def render(retriever: Retriever, result: SearchResult) -> dict[str, Any]:
        _count(result, process.metrics)
        return search_json(result, urls_of(retriever, base))

    # As many at a time as there are threads: a batch takes its turn between other requests.
    turn = asyncio.Semaphore(process.workers.threads)

    async def answer(sketch: Sketch | InkseekError) -> dict[str, Any]:
        if isinstance(sketch, InkseekError):
            return {"error": problem(sketch)}
        async with turn:
            try:
                return await process.workers.encode(
                    SketchJob(request, query, lambda _: sketch, render), tenant_of(request)
                )
            except InkseekError as error:
                return {"error": problem(error)}

    return list(await asyncio.gather(*map(answer, sketches)))
