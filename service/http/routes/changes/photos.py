"""Photos uploaded, described anew and deleted; found, or not, from the answer on."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import Query, Request
from starlette.responses import Response

from index_builder.artifact import PhotoNotFound
from models.bundle import ImageTooLarge, ImageUnreadable, ImageUnsupported
from service.changes import photos
from service.changes.errors import MetadataInvalid
from service.errors import BodyInvalid, NameInvalid, OnlineFull, OnlinePhotosLimit, OnlineUnwritable
from service.http.forms.photo_form import read_description, read_photo
from service.http.json_response import json_bytes, json_response
from service.http.openapi.responses import Responses, created, ok, problem_responses
from service.http.route import api_router
from service.http.routes.photos import PhotoId
from service.http.routes.search import TRAFFIC_ERRORS
from service.http.schemas.base import PHOTOS_PATH
from service.http.schemas.changes.photos import DESCRIPTION_BODY, PHOTO_BODY, PutParams
from service.http.schemas.gallery import PHOTO_EXAMPLE, Photo, photo_json
from service.http.serving import answer_change, process_of, read_change, serving_of, urls_of
from service.http.tenancy import base_path, gallery_of
from service.search.retriever import Retriever

router = api_router("changes", "write")

_STORED_ERRORS = (NameInvalid, MetadataInvalid, BodyInvalid, OnlineFull, OnlineUnwritable, *TRAFFIC_ERRORS)
_REPLACED: Responses = {**ok("The photo, in place of another", PHOTO_EXAMPLE)}
_REPLACED[200]["model"] = Photo


@router.put(
    PHOTOS_PATH + "/{photo_id:path}",
    summary="Upload a photo",
    status_code=201,
    response_model=Photo,
    responses=created("The photo, which can be found", PHOTO_EXAMPLE)
    | _REPLACED
    | problem_responses(*_STORED_ERRORS, ImageTooLarge, ImageUnreadable, ImageUnsupported, OnlinePhotosLimit),
    openapi_extra=PHOTO_BODY,
)
async def put_photo(request: Request, photo_id: PhotoId, params: Annotated[PutParams, Query()]) -> Response:
    """Under an id of your choice, in place of whatever had it: file, category and metadata.

    It is on the disk before the answer, and every search that begins after it may find it. Repeating the request
    changes nothing. Without a category, the first part of the id is the category.
    """
    upload, base = await read_change(request), base_path(request)
    max_photos = gallery_of(request).settings.max_online_photos

    def job(retriever: Retriever) -> tuple[bytes, bool]:
        record, is_new = photos.put(retriever, read_photo(upload, photo_id, params.category), max_photos)
        return json_bytes(photo_json(record, urls_of(retriever, base))), is_new

    # An encoder's call for a photo takes as long as one for a sketch, and sketches go first.
    document, is_new = await answer_change(request, job)
    _count(request, "put")
    response = json_response(document, 201 if is_new else 200)
    if is_new:
        response.headers["Location"] = f"{base}/photos/{quote(photo_id, safe='/')}"
    return response


@router.patch(
    PHOTOS_PATH + "/{photo_id:path}",
    summary="Change what is said of a photo",
    response_model=Photo,
    responses=ok("The photo as it is now", PHOTO_EXAMPLE) | problem_responses(PhotoNotFound, *_STORED_ERRORS),
    openapi_extra=DESCRIPTION_BODY,
)
async def patch_photo(request: Request, photo_id: PhotoId) -> Response:
    """Its category, and values of its metadata; what the body does not name stays, and null takes a value away.

    Photos of the index are changed as uploaded ones are. Fields are those of the gallery's manifest: see /v1/info.
    """
    upload, base = await read_change(request), base_path(request)

    def job(retriever: Retriever) -> bytes:
        record = photos.describe(retriever, photo_id, *read_description(upload.body))
        return json_bytes(photo_json(record, urls_of(retriever, base)))

    document = await answer_change(request, job)
    _count(request, "patch")
    return json_response(document)


@router.delete(
    PHOTOS_PATH + "/{photo_id:path}",
    summary="Delete a photo",
    status_code=204,
    responses=problem_responses(PhotoNotFound, OnlineUnwritable),
)
def delete_photo(request: Request, photo_id: PhotoId) -> Response:
    """Uploaded or indexed: no search that begins after the answer finds it, nor do later builds bring it back.

    A file in the gallery's folder stays there. An upload under the same id makes it a photo again.
    """
    # A plain `def`: FastAPI's own threads wait for disk and other writers; worker threads are for encoders.
    with serving_of(request) as retriever:
        photos.delete(retriever, photo_id)
    _count(request, "delete")
    return Response(status_code=204)


def _count(request: Request, change: str) -> None:
    metrics = process_of(request).metrics.galleries
    metrics.photo_changes.labels(metrics.label(gallery_of(request).name), change).inc()
