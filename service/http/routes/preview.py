"""The sketch as the encoder sees it."""

from __future__ import annotations

import io
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from service.http.forms.body import read_single
from service.http.openapi.request_bodies import SKETCH_BODY
from service.http.openapi.responses import picture, problem_responses
from service.http.route import api_router
from service.http.routes.search import SKETCH_ERRORS, TRAFFIC_ERRORS
from service.http.schemas.search import PreviewParams
from service.http.serving import answer_job, read_upload
from service.search.retriever import Retriever

router = api_router("search", "search")


@router.post(
    "/v1/preview",
    summary="See the sketch as the encoder does",
    response_class=Response,
    responses=picture("The normalised sketch", "image/png") | problem_responses(*SKETCH_ERRORS, *TRAFFIC_ERRORS),
    openapi_extra=SKETCH_BODY,
)
async def preview_sketch(request: Request, params: Annotated[PreviewParams, Query()]) -> Response:
    """Dark strokes on white, framed and sized as they go into the encoder, for the search with these parameters."""
    upload = await read_upload(request)

    def render(retriever: Retriever) -> bytes:
        buffer = io.BytesIO()
        sketch = read_single(upload, retriever.decoder.strokes)
        retriever.view(sketch, params.to_query()).save(buffer, format="PNG")
        return buffer.getvalue()

    png = await answer_job(request, render, aside=True)
    return Response(png, media_type="image/png", headers={"Cache-Control": "no-store"})
