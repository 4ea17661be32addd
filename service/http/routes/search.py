"""Sketch in, photos out."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from index_builder.artifact import FilterInvalid
from models.bundle import ImageTooLarge, ImageUnreadable, ImageUnsupported, SketchEmpty, SketchSolid, StrokesInvalid
from models.errors import InkseekError
from service.errors import (
    BatchTooLarge,
    BodyInvalid,
    BodyTimeout,
    BodyTooLarge,
    DeadlineExceeded,
    ParameterInvalid,
    QueueFull,
    UnknownCategory,
)
from service.http import examples
from service.http.answers import json_bytes, search_answer
from service.http.body import Source, Upload, read_source, read_sources
from service.http.openapi import BATCH_BODY, SKETCH_BODY, ok, problem_responses
from service.http.problems import problem
from service.http.requests import Process, process_of, read_upload, search_query
from service.http.schemas.search import BatchAnswer, SearchAnswer, SearchParams
from service.search.query import SearchQuery

router = APIRouter(tags=["search"])

SKETCH_ERRORS = (
    ImageTooLarge,
    ImageUnreadable,
    ImageUnsupported,
    SketchEmpty,
    SketchSolid,
    StrokesInvalid,
    BodyInvalid,
)
TRAFFIC_ERRORS = (BodyTooLarge, BodyTimeout, QueueFull, DeadlineExceeded)
QUERY_ERRORS = (ParameterInvalid, UnknownCategory, FilterInvalid)


@router.post(
    "/v1/search",
    summary="Find the photos most like a sketch",
    response_model=SearchAnswer,
    responses=ok("The k best photos", examples.SEARCH)
    | problem_responses(*SKETCH_ERRORS, *TRAFFIC_ERRORS, *QUERY_ERRORS),
    openapi_extra=SKETCH_BODY,
)
async def search(request: Request, params: Annotated[SearchParams, Query()]) -> Response:
    """Scores are cosines of embeddings. Fewer than k photos are answered only when fewer match."""
    process, upload = process_of(request), await read_upload(request)
    workers = process.workers
    with workers.admission():
        job = partial(_search, process, partial(read_source, upload), search_query(params))
        answer = await workers.answer(workers.run(lambda: json_bytes(job())), request.receive)
    return Response(answer, media_type="application/json")


@router.post(
    "/v1/search:batch",
    summary="Search with several sketches",
    response_model=BatchAnswer,
    responses=ok("One entry per item, in order", examples.BATCH)
    | problem_responses(BodyInvalid, BatchTooLarge, *TRAFFIC_ERRORS, *QUERY_ERRORS),
    openapi_extra=BATCH_BODY,
)
async def search_batch(request: Request, params: Annotated[SearchParams, Query()]) -> Response:
    """Each item is answered as if it had been sent alone; one that cannot be is answered with its problem."""
    process, upload = process_of(request), await read_upload(request)
    with process.workers.admission():
        items = await process.workers.answer(_search_each(process, upload, search_query(params)), request.receive)
    return Response(json_bytes({"items": items}), media_type="application/json")


def _search(process: Process, read: Any, query: SearchQuery) -> dict[str, Any]:
    with process.serving.borrow() as retriever:
        found = retriever.search(read, query)
    process.metrics.observe_stages(found.timings_ms)
    return search_answer(found)


async def _search_each(process: Process, upload: Upload, query: SearchQuery) -> list[dict[str, Any]]:
    def begin() -> list[Source | InkseekError]:
        with process.serving.borrow() as retriever:
            retriever.check(query)  # the query is every item's: wrong, it is no item's problem
        return read_sources(upload, process.settings.max_batch_items)

    # As many at a time as there are threads: a batch takes its turn between other requests.
    turn = asyncio.Semaphore(process.workers.threads)

    async def answer(source: Source | InkseekError) -> dict[str, Any]:
        if isinstance(source, InkseekError):
            return {"error": problem(source)}
        async with turn:
            try:
                return await process.workers.run(partial(_search, process, lambda: source, query))
            except InkseekError as error:
                return {"error": problem(error)}

    return list(await asyncio.gather(*map(answer, await process.workers.run(begin))))
