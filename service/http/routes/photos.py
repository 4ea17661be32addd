"""Photos of the gallery: record, pictures, and more like one of them."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import Header, Path, Query, Request
from starlette.responses import FileResponse, Response

from index_builder.artifact import PhotoNotFound
from service.errors import DeadlineExceeded, QueueFull
from service.http.json_response import json_bytes, json_response
from service.http.openapi import Responses, ok, picture, problem_responses
from service.http.route import api_router
from service.http.routes.search import NARROWING_ERRORS, PAGE_ERRORS
from service.http.schemas.base import PHOTOS_PATH
from service.http.schemas.gallery import (
    PHOTO_EXAMPLE,
    PHOTOS_EXAMPLE,
    ListParams,
    Photo,
    Photos,
    photo_json,
    photos_json,
)
from service.http.schemas.search import SIMILAR_EXAMPLE, SearchAnswer, SimilarParams, search_json
from service.http.serving import answer_job, process_of, serving_of
from service.http.tenancy import base_path
from service.originals.position import file_without_position, without_position
from service.search import listing
from service.search.retriever import Retriever

router = api_router("gallery", "search")

PhotoId = Annotated[str, Path(description="The photo's id, slashes and all.", examples=["clothing/running-shoe.jpg"])]
IfNoneMatch = Annotated[str, Header(description="ETag of a copy that the client has; still good, it is answered 304.")]

# A photo keeps its id when the gallery is built anew, so its picture may change; the ETag then does.
_MAX_AGE_S = 300
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
    PHOTOS_PATH,
    summary="List the photos",
    response_model=Photos,
    responses=ok("A page of the gallery", PHOTOS_EXAMPLE)
    | problem_responses(*PAGE_ERRORS, QueueFull, DeadlineExceeded, *NARROWING_ERRORS),
)
async def list_photos(request: Request, params: Annotated[ListParams, Query()]) -> Response:
    """By their ids, page by page; photos that were uploaded follow as they came."""
    query, base = params.to_query(), base_path(request)

    def answer(retriever: Retriever) -> bytes:
        return json_bytes(photos_json(listing.list_photos(retriever.gallery().view, query), params.fields, base))

    return json_response(await answer_job(request, answer))


@router.get(
    PHOTOS_PATH + "/{photo_id:path}/thumbnail",
    summary="A small picture of a photo",
    response_class=Response,
    responses=picture("JPEG of at most 256 px", "image/jpeg") | _NOT_MODIFIED | problem_responses(PhotoNotFound),
)
def get_photo_thumbnail(request: Request, photo_id: PhotoId, if_none_match: IfNoneMatch = "") -> Response:
    """Cached by clients for some minutes; requested again with its ETag it costs next to nothing."""
    with serving_of(request) as retriever:
        jpeg, etag = retriever.gallery().view.thumbnail(photo_id)
    return _cached(
        request, Response(jpeg, media_type="image/jpeg", headers={"ETag": f'"{etag.strip(chr(34))}"'}), if_none_match
    )


@router.get(
    PHOTOS_PATH + "/{photo_id:path}/image",
    summary="A photo in full",
    response_class=Response,
    responses=picture("The original", *sorted(set(_DISPLAYABLE.values())))
    | _NOT_MODIFIED
    | problem_responses(PhotoNotFound),
)
def get_photo_image(request: Request, photo_id: PhotoId, if_none_match: IfNoneMatch = "") -> Response:
    """The original where it is at hand and browsers can show it, without its GPS position; else the thumbnail."""
    with serving_of(request) as retriever:
        original = retriever.gallery().view.original(photo_id)
    if isinstance(original, bytes):
        return _uploaded(request, photo_id, original, if_none_match)
    media_type = _DISPLAYABLE.get(original.suffix.lower()) if original else None
    if original is None or media_type is None:
        return get_photo_thumbnail(request, photo_id, if_none_match)
    # With a stat the response has its ETag at once; without, only while it is sent, too late for `_cached`.
    response: Response = FileResponse(original, media_type=media_type, stat_result=original.stat())
    if (cleaned := file_without_position(original)) is not None:
        # Copies with the position may lie in caches under the tag of the file itself.
        tag = response.headers["ETag"].strip('"') + "-x"
        response = Response(cleaned, media_type=media_type, headers={"ETag": f'"{tag}"'})
    return _cached(request, response, if_none_match)


@router.get(
    PHOTOS_PATH + "/{photo_id:path}/similar",
    summary="More like this photo",
    response_model=SearchAnswer,
    responses=ok("The k photos most like it, itself left out", SIMILAR_EXAMPLE)
    | problem_responses(PhotoNotFound, *PAGE_ERRORS, QueueFull, DeadlineExceeded, *NARROWING_ERRORS),
)
async def find_similar_photos(
    request: Request, photo_id: PhotoId, params: Annotated[SimilarParams, Query()]
) -> Response:
    """Answers as a search does; the photo's own embedding is the query, and `score` always a plain cosine."""
    query, base = params.to_query(), base_path(request)

    def answer(retriever: Retriever) -> bytes:
        return json_bytes(search_json(retriever.similar(photo_id, query), base))

    return json_response(await answer_job(request, answer))


@router.get(
    PHOTOS_PATH + "/{photo_id:path}",
    summary="Show a photo's record",
    response_model=Photo,
    responses=ok("Its record", PHOTO_EXAMPLE) | problem_responses(PhotoNotFound),
)
def get_photo(request: Request, photo_id: PhotoId) -> Response:
    """Category, size, hash, metadata, and where its pictures are."""
    with serving_of(request) as retriever:
        return json_response(photo_json(retriever.gallery().view.photo(photo_id), base_path(request)))


def _uploaded(request: Request, photo_id: str, image: bytes, if_none_match: str) -> Response:
    # An upload has no file name: its first bytes say what it is. A WebP's size stands between its two marks.
    media_type = next((kind for start, kind in _SIGNATURES if image.startswith(start)), None)
    if image[:4] == b"RIFF" and image[8:12] == b"WEBP":
        media_type = "image/webp"
    if media_type is None:
        return get_photo_thumbnail(request, photo_id, if_none_match)
    etag = hashlib.sha256(image).hexdigest()[:16]
    response = Response(without_position(image), media_type=media_type, headers={"ETag": f'"{etag}-x"'})
    return _cached(request, response, if_none_match)


def _cached(request: Request, response: Response, if_none_match: str) -> Response:
    """`response`, or 304. A shared cache keeps it only where photos are public: it asks nobody for a key."""
    public = process_of(request).settings.public_photos
    caching = {"Cache-Control": f"{'public' if public else 'private'}, max-age={_MAX_AGE_S}"}
    response.headers.update(caching)
    # If-None-Match compares weakly (RFC 9110, section 13.1.2): a weak tag of the same value is good enough.
    known = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    if response.headers["ETag"] not in known and "*" not in known:
        return response
    return Response(status_code=304, headers={"ETag": response.headers["ETag"], **caching})
