"""Photos of the gallery: record, pictures, and more like one of them."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from fastapi import Header, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from index_builder.artifact import PhotoNotFound, StoreUnavailable
from service.errors import DeadlineExceeded, QueueFull
from service.http.json_response import json_bytes, json_response
from service.http.openapi.responses import Responses, ok, picture, problem_responses
from service.http.pictures import DISPLAYABLE, image_of, thumbnail_of
from service.http.query_params import QueryReader
from service.http.route import api_router, reject_parameters
from service.http.routes.search import NARROWING_ERRORS, PAGE_ERRORS
from service.http.schemas.answers import SIMILAR_EXAMPLE, SearchAnswer, search_json
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
from service.http.schemas.search import PhotoParams, SimilarParams
from service.http.serving import answer_job, serving_of, urls_of
from service.http.tenancy import base_path
from service.search import listing
from service.search.retriever import Retriever

router = api_router("gallery", "search")

PhotoId = Annotated[str, Path(description="The photo's id, slashes and all.", examples=["clothing/running-shoe.jpg"])]
IfNoneMatch = Annotated[str, Header(description="ETag of a copy that the client has; still good, it is answered 304.")]

_View = Annotated[str | None, Query(include_in_schema=False)]
"""Read in `_shown`, of a photo whose id ends like the path of a picture."""
_PHOTO_QUERY = QueryReader(PhotoParams)
_NOT_MODIFIED: Responses = {304: {"description": "The client's copy is still good"}}


# The record, unless `view` asks for the picture, the thumbnail or what is similar.
_ANY_VIEW: Responses = {**ok("Its record, or what `view` names", PHOTO_EXAMPLE), **_NOT_MODIFIED}
_ANY_VIEW[200]["content"] |= picture("", "image/jpeg", *DISPLAYABLE)[200]["content"]


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
        return json_bytes(
            photos_json(listing.list_photos(retriever.gallery().view, query), params.fields, urls_of(retriever, base))
        )

    return json_response(await answer_job(request, answer))


@router.get(
    PHOTOS_PATH + "/{photo_id:path}/thumbnail",
    summary="A small picture of a photo",
    response_class=Response,
    responses=picture("JPEG of at most 256 px", "image/jpeg") | _NOT_MODIFIED | problem_responses(PhotoNotFound),
)
async def get_photo_thumbnail(
    request: Request, photo_id: PhotoId, if_none_match: IfNoneMatch = "", view: _View = None
) -> Response:
    """Cached by clients for some minutes; requested again with its ETag it costs next to nothing."""
    if _is_photo(request, whole := f"{photo_id}/thumbnail"):
        return await _shown(request, whole, if_none_match)
    reject_parameters(request)
    return await run_in_threadpool(thumbnail_of, request, photo_id, if_none_match)


@router.get(
    PHOTOS_PATH + "/{photo_id:path}/image",
    summary="A photo in full",
    response_class=Response,
    responses=picture("The original", *DISPLAYABLE) | _NOT_MODIFIED | problem_responses(PhotoNotFound),
)
async def get_photo_image(
    request: Request, photo_id: PhotoId, if_none_match: IfNoneMatch = "", view: _View = None
) -> Response:
    """The original where it can be read and browsers can show it, without its GPS position; else the thumbnail.

    `X-Inkseek-Thumbnail` then says why: the original is `missing` or `unreadable`, or of a `format` that browsers do
    not show.
    """
    if _is_photo(request, whole := f"{photo_id}/image"):
        return await _shown(request, whole, if_none_match)
    reject_parameters(request)
    return await run_in_threadpool(image_of, request, photo_id, if_none_match)


@router.get(
    PHOTOS_PATH + "/{photo_id:path}/similar",
    summary="More like this photo",
    response_model=SearchAnswer,
    responses=ok("The k photos most like it, itself left out", SIMILAR_EXAMPLE)
    | problem_responses(PhotoNotFound, *PAGE_ERRORS, QueueFull, DeadlineExceeded, StoreUnavailable, *NARROWING_ERRORS),
)
async def find_similar_photos(
    request: Request, photo_id: PhotoId, params: Annotated[PhotoParams, Query()], if_none_match: IfNoneMatch = ""
) -> Response:
    """Answers as a search does; the photo's own embedding is the query, and `score` always a plain cosine."""
    if _is_photo(request, whole := f"{photo_id}/similar"):
        return await _shown(request, whole, if_none_match)
    return await _similar(request, photo_id, params)


@router.get(
    PHOTOS_PATH + "/{photo_id:path}",
    summary="Show a photo's record",
    response_model=Photo | SearchAnswer,
    responses=_ANY_VIEW
    | problem_responses(PhotoNotFound, *PAGE_ERRORS, QueueFull, DeadlineExceeded, StoreUnavailable, *NARROWING_ERRORS),
)
async def get_photo(
    request: Request, photo_id: PhotoId, params: Annotated[PhotoParams, Query()], if_none_match: IfNoneMatch = ""
) -> Response:
    """Category, size, hash, metadata, and where its pictures are.

    An id wins over a suffix: where the gallery has a photo `cup` and one `cup/image`, the path `cup/image` is the
    record of the second, and `cup?view=image` is the picture of the first. Answers name the right URLs.
    """
    return await _shown(request, photo_id, if_none_match)


async def _shown(request: Request, photo_id: str, if_none_match: str) -> Response:
    """What the path of a photo's own id answers, whichever route that path led to."""
    params = _PHOTO_QUERY.read(request.scope["query_string"])
    if params.view == "similar":
        return await _similar(request, photo_id, params)
    if params.view == "record":
        return await run_in_threadpool(_record, request, photo_id)
    show = thumbnail_of if params.view == "thumbnail" else image_of
    return await run_in_threadpool(show, request, photo_id, if_none_match)


def _is_photo(request: Request, photo_id: str) -> bool:
    """Whether an id that ends as the path of a picture does is a photo's."""
    with serving_of(request) as retriever:
        return unicodedata.normalize("NFC", photo_id) in retriever.index.suffixed_ids


def _record(request: Request, photo_id: str) -> Response:
    with serving_of(request) as retriever:
        urls = urls_of(retriever, base_path(request))
        return json_response(photo_json(retriever.gallery().view.photo(photo_id), urls))


async def _similar(request: Request, photo_id: str, params: SimilarParams) -> Response:
    query, base = params.to_query(), base_path(request)

    def answer(retriever: Retriever) -> bytes:
        return json_bytes(search_json(retriever.similar(photo_id, query), urls_of(retriever, base)))

    return json_response(await answer_job(request, answer))
