"""The embedding of a sketch in, photos out: for clients that encode sketches themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from index_builder.artifact import StoreUnavailable
from service.errors import BodyInvalid, EncoderDiffers, UnknownProfile, VectorInvalid
from service.http.forms.vector_body import read_vectors
from service.http.json_response import json_response
from service.http.openapi.responses import ok, problem_responses
from service.http.own_profile import in_own_style
from service.http.route import api_router
from service.http.routes.search import NARROWING_ERRORS, PAGE_ERRORS, TRAFFIC_ERRORS, written
from service.http.schemas.answers import SEARCH_EXAMPLE, SearchAnswer
from service.http.schemas.search import VectorParams
from service.http.schemas.vector import VECTOR_BODY
from service.http.serving import SHORT_BYTES, answer_short, process_of, read_upload, urls_of
from service.http.tenancy import base_path
from service.search.retriever import Retriever
from service.search.vectors import SketchVectors

router = api_router("search", "search")


@router.post(
    "/v1/search:vector",
    summary="Find the photos most like a sketch that the client has encoded",
    response_model=SearchAnswer,
    responses=ok("The k best photos", {**SEARCH_EXAMPLE, "timings_ms": {"search": 0.34, "total": 0.4}})
    | problem_responses(
        BodyInvalid,
        VectorInvalid,
        EncoderDiffers,
        *TRAFFIC_ERRORS,
        StoreUnavailable,
        *NARROWING_ERRORS,
        *PAGE_ERRORS,
        UnknownProfile,
    ),
    openapi_extra=VECTOR_BODY,
)
async def search_vector(request: Request, params: Annotated[VectorParams, Query()]) -> Response:
    """Answers as `/v1/search` does, adapters, confidence and pages included; the service neither draws nor encodes.

    `/v1/encoder` says how the vector is made. A drawing that is to be compared mirrored, too, comes with the
    embedding of its mirror image; without it, `mirror=auto` compares it as it was drawn.
    """
    upload = await read_upload(request)
    read = read_vectors(upload, params) if len(upload.body) <= SHORT_BYTES else None

    def answer(retriever: Retriever) -> bytes:
        return vector_job(request, *(read or read_vectors(upload, params)))(retriever)

    is_plain = read is not None and read[1].to_query().is_plain
    return json_response(await answer_short(request, answer, is_short=is_plain))


def vector_job(request: Request, sent: SketchVectors, params: VectorParams) -> Callable[[Retriever], bytes]:
    """What answers a search by a vector, with the JSON of a SearchAnswer."""
    metrics, base = process_of(request).metrics, base_path(request)

    def answer(retriever: Retriever) -> bytes:
        result = retriever.search_vectors(sent, in_own_style(request, params.to_query()))
        return written(result, metrics, urls_of(retriever, base))

    return answer
