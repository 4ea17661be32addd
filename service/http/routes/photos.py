"""Photos of the gallery: record, pictures, and more like one of them."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request
from starlette.responses import FileResponse, Response

from index_builder.artifact import PhotoNotFound
from service.errors import DeadlineExceeded, QueueFull
from service.http import examples
from service.http.answers import PHOTOS_PATH, json_bytes, photo_answer, search_answer
from service.http.openapi import Responses, ok, picture, problem_responses
from service.http.requests import process_of, search_query
from service.http.routes.search import QUERY_ERRORS
from service.http.schemas.search import NarrowingParams, Photo, SearchAnswer

router = APIRouter(tags=["gallery"])

PhotoId = Annotated[str, Path(description="The photo's id, slashes and all.", examples=["clothing/running-shoe.jpg"])]
IfNoneMatch = Annotated[str, Header(description="ETag of a copy that the client has; still good, it is answered 304.")]

# A photo keeps its id when the gallery is built anew, so its picture may change; the ETag then does.
_CACHE = {"Cache-Control": "public, max-age=300"}
_DISPLAYABLE = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
}
_SIGNATURES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
)
_NOT_MODIFIED: Responses = {304: {"description": "The client's copy is still good"}}


@router.get(
    PHOTOS_PATH + "/{photo_id:path}/thumbnail",
    summary="A small picture of a photo",
    response_class=Response,
    responses=picture("JPEG of at most 256 px", "image/jpeg") | _NOT_MODIFIED | problem_responses(PhotoNotFound),
)
def thumbnail(request: Request, photo_id: PhotoId, if_none_match: IfNoneMatch = "") -> Response:
    """Cached by clients for some minutes; asked again with its ETag it costs next to nothing."""
    with process_of(request).serving.borrow() as retriever:
        jpeg, etag = retriever.gallery().view.thumbnail(photo_id)
    return _cached(Response(jpeg, media_type="image/jpeg", headers={"ETag": f'"{etag.strip(chr(34))}"'}), if_none_match)


@router.get(
    PHOTOS_PATH + "/{photo_id:path}/image",
    summary="A photo in full",
    response_class=Response,
    responses=picture("The original", *sorted(set(_DISPLAYABLE.values())))
    | _NOT_MODIFIED
    | problem_responses(PhotoNotFound),
)
def image(request: Request, photo_id: PhotoId, if_none_match: IfNoneMatch = "") -> Response:
    """The original file where it is at hand and browsers can show it; else the thumbnail."""
    with process_of(request).serving.borrow() as retriever:
        original = retriever.gallery().view.original(photo_id)
    if isinstance(original, bytes):
        return _uploaded(request, photo_id, original, if_none_match)
    media_type = _DISPLAYABLE.get(original.suffix.lower()) if original else None
    if original is None or media_type is None:
        return thumbnail(request, photo_id, if_none_match)
    return _cached(FileResponse(original, media_type=media_type, stat_result=original.stat()), if_none_match)


@router.get(
    PHOTOS_PATH + "/{photo_id:path}/similar",
    summary="More like this photo",
    response_model=SearchAnswer,
    responses=ok("The k photos most like it, itself left out", examples.SIMILAR)
    | problem_responses(PhotoNotFound, QueueFull, DeadlineExceeded, *QUERY_ERRORS),
)
async def similar(request: Request, photo_id: PhotoId, params: Annotated[NarrowingParams, Query()]) -> Response:
    """Answers as a search does; the photo's own embedding is the query."""
    process = process_of(request)

    def find() -> bytes:
        with process.serving.borrow() as retriever:
            return json_bytes(search_answer(retriever.similar(photo_id, search_query(params))))

    with process.workers.admission():
        answer = await process.workers.answer(process.workers.run(find), request.receive)
    return Response(answer, media_type="application/json")


@router.get(
    PHOTOS_PATH + "/{photo_id:path}",
    summary="What is known of a photo",
    responses=ok("Its record", examples.PHOTO) | problem_responses(PhotoNotFound),
)
def photo(request: Request, photo_id: PhotoId) -> Photo:
    """Category, size, hash, metadata, and where its pictures are."""
    with process_of(request).serving.borrow() as retriever:
        return Photo(**photo_answer(retriever.gallery().view.photo(photo_id)))


def _uploaded(request: Request, photo_id: str, image: bytes, if_none_match: str) -> Response:
    media_type = next((kind for start, kind in _SIGNATURES if image.startswith(start)), None)
    if image[:4] == b"RIFF" and image[8:12] == b"WEBP":
        media_type = "image/webp"
    if media_type is None:
        return thumbnail(request, photo_id, if_none_match)
    etag = hashlib.sha256(image).hexdigest()[:16]
    return _cached(Response(image, media_type=media_type, headers={"ETag": f'"{etag}"'}), if_none_match)


def _cached(response: Response, if_none_match: str) -> Response:
    response.headers.update(_CACHE)
    known = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    if response.headers["ETag"] not in known and "*" not in known:
        return response
    return Response(status_code=304, headers={"ETag": response.headers["ETag"], **_CACHE})
