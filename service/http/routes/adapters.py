"""Heads: teach a category or a person's drawing style, look, switch, go back."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from service.adaptation.examples import head_name
from service.adaptation.request import teach
from service.errors import (
    AdaptationUnavailable,
    CategoryTooSmall,
    HeadNotFound,
    HeadsLimit,
    HeadStale,
    NameInvalid,
    NothingToRollBack,
    OnlinePhotosLimit,
    OnlineUnwritable,
    PairContradictory,
    PairDuplicate,
    ParameterInvalid,
    PhotoElsewhere,
    SupportMismatch,
    SupportOnePhoto,
    TooManyPairs,
    UnknownCategory,
    UnknownPhoto,
    UnknownProfile,
)
from service.http import examples
from service.http.adapter_answers import head_answer, heads_answer, profiles_answer
from service.http.answers import json_bytes
from service.http.openapi import EXAMPLES_BODY, Responses, created, ok, problem_responses
from service.http.requests import process_of, read_upload
from service.http.routes.search import SKETCH_ERRORS, TRAFFIC_ERRORS
from service.http.schemas.adapters import DeleteParams, Head, Heads, LiveHeadId, Profiles, TeachParams
from service.search.retriever import unknown_name
from service.store.records import Scope

router = APIRouter(tags=["adaptation"])

Category = Annotated[
    str, Path(description="A category, slashes and all; a new one brings its photos along.", examples=["clothing"])
]
Profile = Annotated[str, Path(description="A name for the person who draws.", examples=["ada"])]
HeadId = Annotated[str, Path(description="A head's id.", examples=["head-5f0c2d9a71be"])]

_CATEGORY = "/v1/categories/{category:path}/heads"
_PROFILE = "/v1/profiles/{name}/heads"

_TEACH_ERRORS = (
    *SKETCH_ERRORS,
    *TRAFFIC_ERRORS,
    ParameterInvalid,
    NameInvalid,
    SupportMismatch,
    TooManyPairs,
    UnknownPhoto,
    PhotoElsewhere,
    PairDuplicate,
    PairContradictory,
    SupportOnePhoto,
    CategoryTooSmall,
    HeadsLimit,
    OnlinePhotosLimit,
    AdaptationUnavailable,
    OnlineUnwritable,
)
_REPORT: Responses = {200: {**ok("Only a report: `dry_run`", examples.DRY_RUN)[200], "model": Head}}
_TAUGHT: Responses = created("The head, stored", examples.HEAD) | _REPORT


@router.post(
    _CATEGORY,
    summary="Teach a category from a few examples",
    status_code=201,
    response_model=Head,
    responses=_TAUGHT | problem_responses(*_TEACH_ERRORS),
    openapi_extra=EXAMPLES_BODY,
)
async def teach_category(request: Request, category: Category, params: Annotated[TeachParams, Query()]) -> Response:
    """Fits a head to pairs of a sketch and the photo that it shows; searches with `category=` then go through it.

    It goes live unless leave-one-out over the examples gets worse by more than chance explains. Uploaded photos join
    the gallery, at once and for good, whether or not the head goes live.
    """
    return await _teach(request, "category", category, params)


@router.post(
    _PROFILE,
    summary="Teach a person's drawing style",
    status_code=201,
    response_model=Head,
    responses=_TAUGHT | problem_responses(*_TEACH_ERRORS),
    openapi_extra=EXAMPLES_BODY,
)
async def teach_profile(request: Request, name: Profile, params: Annotated[TeachParams, Query()]) -> Response:
    """As for a category, with photos of the gallery alone; searches with `profile=` then go through the head."""
    return await _teach(request, "profile", name, params)


@router.post(
    _CATEGORY + ":rollback",
    summary="Serve a category's head that was live before",
    responses=ok("What is live now", examples.LIVE_HEAD)
    | problem_responses(NameInvalid, NothingToRollBack, OnlineUnwritable),
)
def roll_back_category(request: Request, category: Category) -> LiveHeadId:
    """Undoes the last activation. `live` is null when no fitted head is left: the category is compared as untaught."""
    return _roll_back(request, "category", category)


@router.post(
    _PROFILE + ":rollback",
    summary="Serve a profile's head that was live before",
    responses=ok("What is live now", examples.LIVE_HEAD)
    | problem_responses(NameInvalid, NothingToRollBack, OnlineUnwritable),
)
def roll_back_profile(request: Request, name: Profile) -> LiveHeadId:
    """Undoes the last activation. `live` is null when no fitted head is left: sketches are taken as they are."""
    return _roll_back(request, "profile", name)


@router.post(
    _CATEGORY + "/{head_id}:activate",
    summary="Put a category's head into service",
    response_model=Head,
    responses=ok("The head", examples.HEAD) | problem_responses(NameInvalid, HeadNotFound, HeadStale, OnlineUnwritable),
)
def activate_category(request: Request, category: Category, head_id: HeadId) -> Response:
    """Any stored head of the bundle in service, whatever its leave-one-out figures."""
    return _activate(request, "category", category, head_id)


@router.post(
    _PROFILE + "/{head_id}:activate",
    summary="Put a profile's head into service",
    response_model=Head,
    responses=ok("The head", examples.PROFILE_HEAD)
    | problem_responses(NameInvalid, HeadNotFound, HeadStale, OnlineUnwritable),
)
def activate_profile(request: Request, name: Profile, head_id: HeadId) -> Response:
    """Any stored head of the bundle in service, whatever its leave-one-out figures."""
    return _activate(request, "profile", name, head_id)


@router.get(
    _CATEGORY,
    summary="List a category's heads",
    response_model=Heads,
    responses=ok("The newest first", examples.HEADS) | problem_responses(NameInvalid, UnknownCategory),
)
def category_heads(request: Request, category: Category) -> Response:
    """Those of other bundles too: they are `stale`."""
    with process_of(request).serving.borrow() as retriever:
        target = head_name("category", category)
        found = retriever.room.list_heads(target)
        known = retriever.gallery().view.categories()
        if not found and target.name not in known:
            raise UnknownCategory(unknown_name("category", target.name, list(known)))
        return _json(heads_answer(found))


@router.get(
    _PROFILE,
    summary="List a profile's heads",
    response_model=Heads,
    responses=ok("The newest first", examples.PROFILE_HEADS) | problem_responses(NameInvalid, UnknownProfile),
)
def profile_heads(request: Request, name: Profile) -> Response:
    """Those of other bundles too: they are `stale`."""
    with process_of(request).serving.borrow() as retriever:
        target = head_name("profile", name)
        found = retriever.room.list_heads(target)
        if not found:
            raise UnknownProfile(unknown_name("profile", target.name, sorted(retriever.gallery().state.profiles)))
        return _json(heads_answer(found))


@router.get(
    _CATEGORY + "/{head_id}",
    summary="Look at a category's head",
    response_model=Head,
    responses=ok("The head", examples.HEAD) | problem_responses(NameInvalid, HeadNotFound),
)
def category_head(request: Request, category: Category, head_id: HeadId) -> Response:
    """What it was fitted to and how well it did."""
    return _look(request, "category", category, head_id)


@router.get(
    _PROFILE + "/{head_id}",
    summary="Look at a profile's head",
    response_model=Head,
    responses=ok("The head", examples.PROFILE_HEAD) | problem_responses(NameInvalid, HeadNotFound),
)
def profile_head(request: Request, name: Profile, head_id: HeadId) -> Response:
    """What it was fitted to and how well it did."""
    return _look(request, "profile", name, head_id)


@router.delete(
    _CATEGORY + "/{head_id}",
    summary="Delete a category's head",
    status_code=204,
    responses=problem_responses(NameInvalid, ParameterInvalid, HeadNotFound, OnlineUnwritable),
)
def delete_category_head(
    request: Request, category: Category, head_id: HeadId, params: Annotated[DeleteParams, Query()]
) -> Response:
    """With its examples. Was it live, the head before it serves again."""
    return _delete(request, "category", category, head_id, params)


@router.delete(
    _PROFILE + "/{head_id}",
    summary="Delete a profile's head",
    status_code=204,
    responses=problem_responses(NameInvalid, ParameterInvalid, HeadNotFound, OnlineUnwritable),
)
def delete_profile_head(
    request: Request, name: Profile, head_id: HeadId, params: Annotated[DeleteParams, Query()]
) -> Response:
    """With its examples. Was it live, the head before it serves again."""
    return _delete(request, "profile", name, head_id, params)


@router.get(
    "/v1/profiles",
    summary="List the profiles",
    response_model=Profiles,
    responses=ok("Profiles by name", examples.PROFILES) | problem_responses(),
)
def profiles(request: Request) -> Response:
    """Everyone whose drawing style was taught, and the head that is live."""
    with process_of(request).serving.borrow() as retriever:
        return _json(profiles_answer(retriever.room.list_heads()))


async def _teach(request: Request, scope: Scope, name: str, params: TeachParams) -> Response:
    process, target = process_of(request), head_name(scope, name)
    with process.teaching.admission():
        upload = await read_upload(request)
        with process.workers.admission():
            work = teach(process, target, upload, force=params.force, dry_run=params.dry_run)
            answer = await process.workers.answer(work, request.receive)
    return Response(json_bytes(answer), 200 if params.dry_run else 201, media_type="application/json")


def _roll_back(request: Request, scope: Scope, name: str) -> LiveHeadId:
    with process_of(request).serving.borrow() as retriever:
        return LiveHeadId(live=retriever.room.roll_back(head_name(scope, name)))


def _activate(request: Request, scope: Scope, name: str, head_id: str) -> Response:
    with process_of(request).serving.borrow() as retriever:
        return _json(head_answer(retriever.room.activate(head_name(scope, name), head_id)))


def _look(request: Request, scope: Scope, name: str, head_id: str) -> Response:
    with process_of(request).serving.borrow() as retriever:
        return _json(head_answer(retriever.room.get_head(head_name(scope, name), head_id)))


def _delete(request: Request, scope: Scope, name: str, head_id: str, params: DeleteParams) -> Response:
    with process_of(request).serving.borrow() as retriever:
        retriever.room.delete(head_name(scope, name), head_id, with_photos=params.photos)
    return Response(status_code=204)


def _json(answer: dict[str, Any]) -> Response:
    return Response(json_bytes(answer), media_type="application/json")
