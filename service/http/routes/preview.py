"""What the model sees of a sketch."""

from __future__ import annotations

import io

from fastapi import APIRouter, Request
from starlette.responses import Response

from service.http.body import read_source
from service.http.openapi import SKETCH_BODY, picture, problem_responses
from service.http.requests import process_of, read_upload
from service.http.routes.search import SKETCH_ERRORS, TRAFFIC_ERRORS

router = APIRouter(tags=["search"])


@router.post(
    "/v1/preview",
    summary="See the sketch as the model does",
    response_class=Response,
    responses=picture("The normalised sketch", "image/png") | problem_responses(*SKETCH_ERRORS, *TRAFFIC_ERRORS),
    openapi_extra=SKETCH_BODY,
)
async def preview(request: Request) -> Response:
    """Dark strokes on white, framed and sized as they go into the encoder."""
    process, upload = process_of(request), await read_upload(request)

    def draw() -> bytes:
        with process.serving.borrow() as retriever:
            view = retriever.view(read_source(upload))
        buffer = io.BytesIO()
        view.save(buffer, format="PNG")
        return buffer.getvalue()

    with process.workers.admission():
        png = await process.workers.answer(process.workers.run(draw), request.receive)
    return Response(png, media_type="image/png", headers={"Cache-Control": "no-store"})
