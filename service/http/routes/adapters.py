"""Adapters: teach a category or a person's drawing style, look, switch, go back."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from service.adaptation.examples import adapter_target
from service.adaptation.request import teach
from service.errors import (
    AdaptationUnavailable,
    AdapterNotFound,
    AdaptersLimit,
    AdapterStale,
    CategoryTooSmall,
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
from service.http.adapter_answers import adapter_answer, adapters_answer, profiles_answer
from service.http.answers import json_bytes
from service.http.openapi import EXAMPLES_BODY, Responses, created, ok, problem_responses
from service.http.requests import process_of, read_upload
from service.http.routes.search import SKETCH_ERRORS, TRAFFIC_ERRORS
from service.http.schemas.adapters import ActiveAdapterId, Adapter, Adapters, DeleteParams, Profiles, TeachParams
from service.search.retriever import unknown_name
from service.store.records import Scope

router = APIRouter(tags=["adaptation"])

Category = Annotated[
    str, Path(description="A category, slashes and all; a new one brings its photos along.", examples=["clothing"])
]
Profile = Annotated[str, Path(description="A name for the person who draws.", examples=["ada"])]
AdapterId = Annotated[str, Path(description="An adapter's id.", examples=["adapter-5f0c2d9a71be"])]

_CATEGORY = "/v1/categories/{category:path}/adapters"
_PROFILE = "/v1/profiles/{name}/adapters"

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
    AdaptersLimit,
    OnlinePhotosLimit,
    AdaptationUnavailable,
    OnlineUnwritable,
)
_REPORT: Responses = {200: {**ok("Only a report: `dry_run`", examples.DRY_RUN)[200], "model": Adapter}}
_TAUGHT: Responses = created("The adapter, stored", examples.ADAPTER) | _REPORT


@router.post(
    _CATEGORY,
    summary="Teach a category from a few examples",
    status_code=201,
    response_model=Adapter,
    responses=_TAUGHT | problem_responses(*_TEACH_ERRORS),
    openapi_extra=EXAMPLES_BODY,
)
async def teach_category(request: Request, category: Category, params: Annotated[TeachParams, Query()]) -> Response:
    """Fits an adapter to pairs of a sketch and the photo that it shows; searches with `category=` then go through it.

    It is activated unless leave-one-out over the examples gets worse by more than two standard errors. Uploaded photos
    join the gallery, at once and for good, whether or not the adapter is activated.
    """
    return await _teach(request, "category", category, params)


@router.post(
    _PROFILE,
    summary="Teach a person's drawing style",
    status_code=201,
    response_model=Adapter,
    responses=_TAUGHT | problem_responses(*_TEACH_ERRORS),
    openapi_extra=EXAMPLES_BODY,
)
async def teach_profile(request: Request, name: Profile, params: Annotated[TeachParams, Query()]) -> Response:
    """As for a category, with photos of the gallery alone; searches with `profile=` then go through the adapter."""
    return await _teach(request, "profile", name, params)


@router.post(
    _CATEGORY + ":rollback",
    summary="Serve a category's adapter that was active before",
    responses=ok("What is active now", examples.ACTIVE_ADAPTER)
    | problem_responses(NameInvalid, NothingToRollBack, OnlineUnwritable),
)
def roll_back_category(request: Request, category: Category) -> ActiveAdapterId:
    """Undoes the last activation. `active` is null when no adapter is left: the category is compared zero-shot."""
    return _roll_back(request, "category", category)


@router.post(
    _PROFILE + ":rollback",
    summary="Serve a profile's adapter that was active before",
    responses=ok("What is active now", examples.ACTIVE_ADAPTER)
    | problem_responses(NameInvalid, NothingToRollBack, OnlineUnwritable),
)
def roll_back_profile(request: Request, name: Profile) -> ActiveAdapterId:
    """Undoes the last activation. `active` is null when no fitted adapter is left: sketches are taken as they are."""
    return _roll_back(request, "profile", name)


@router.post(
    _CATEGORY + "/{adapter_id}:activate",
    summary="Put a category's adapter into service",
    response_model=Adapter,
    responses=ok("The adapter", examples.ADAPTER)
    | problem_responses(NameInvalid, AdapterNotFound, AdapterStale, OnlineUnwritable),
)
def activate_category(request: Request, category: Category, adapter_id: AdapterId) -> Response:
    """Any stored adapter of the bundle in service, whatever its leave-one-out figures."""
    return _activate(request, "category", category, adapter_id)


@router.post(
    _PROFILE + "/{adapter_id}:activate",
    summary="Put a profile's adapter into service",
    response_model=Adapter,
    responses=ok("The adapter", examples.STYLE_ADAPTER)
    | problem_responses(NameInvalid, AdapterNotFound, AdapterStale, OnlineUnwritable),
)
def activate_profile(request: Request, name: Profile, adapter_id: AdapterId) -> Response:
    """Any stored adapter of the bundle in service, whatever its leave-one-out figures."""
    return _activate(request, "profile", name, adapter_id)


@router.get(
    _CATEGORY,
    summary="List a category's adapters",
    response_model=Adapters,
    responses=ok("The newest first", examples.ADAPTERS) | problem_responses(NameInvalid, UnknownCategory),
)
def category_adapters(request: Request, category: Category) -> Response:
    """Those of other bundles too: they are `stale`."""
    with process_of(request).serving.borrow() as retriever:
        target = adapter_target("category", category)
        found = retriever.room.list_adapters(target)
        known = retriever.gallery().view.categories()
        if not found and target.name not in known:
            raise UnknownCategory(unknown_name("category", target.name, list(known)))
        return _json(adapters_answer(found))


@router.get(
    _PROFILE,
    summary="List a profile's adapters",
    response_model=Adapters,
    responses=ok("The newest first", examples.STYLE_ADAPTERS) | problem_responses(NameInvalid, UnknownProfile),
)
def profile_adapters(request: Request, name: Profile) -> Response:
    """Those of other bundles too: they are `stale`."""
    with process_of(request).serving.borrow() as retriever:
        target = adapter_target("profile", name)
        found = retriever.room.list_adapters(target)
        if not found:
            raise UnknownProfile(unknown_name("profile", target.name, sorted(retriever.gallery().state.profiles)))
        return _json(adapters_answer(found))


@router.get(
    _CATEGORY + "/{adapter_id}",
    summary="Look at a category's adapter",
    response_model=Adapter,
    responses=ok("The adapter", examples.ADAPTER) | problem_responses(NameInvalid, AdapterNotFound),
)
def category_adapter(request: Request, category: Category, adapter_id: AdapterId) -> Response:
    """What it was fitted to and how well it did."""
    return _look(request, "category", category, adapter_id)


@router.get(
    _PROFILE + "/{adapter_id}",
    summary="Look at a profile's adapter",
    response_model=Adapter,
    responses=ok("The adapter", examples.STYLE_ADAPTER) | problem_responses(NameInvalid, AdapterNotFound),
)
def profile_adapter(request: Request, name: Profile, adapter_id: AdapterId) -> Response:
    """What it was fitted to and how well it did."""
    return _look(request, "profile", name, adapter_id)


@router.delete(
    _CATEGORY + "/{adapter_id}",
    summary="Delete a category's adapter",
    status_code=204,
    responses=problem_responses(NameInvalid, ParameterInvalid, AdapterNotFound, OnlineUnwritable),
)
def delete_category_adapter(
    request: Request, category: Category, adapter_id: AdapterId, params: Annotated[DeleteParams, Query()]
) -> Response:
    """With its examples. Was it active, the adapter before it serves again."""
    return _delete(request, "category", category, adapter_id, params)


@router.delete(
    _PROFILE + "/{adapter_id}",
    summary="Delete a profile's adapter",
    status_code=204,
    responses=problem_responses(NameInvalid, ParameterInvalid, AdapterNotFound, OnlineUnwritable),
)
def delete_profile_adapter(
    request: Request, name: Profile, adapter_id: AdapterId, params: Annotated[DeleteParams, Query()]
) -> Response:
    """With its examples. Was it active, the adapter before it serves again."""
    return _delete(request, "profile", name, adapter_id, params)


@router.get(
    "/v1/profiles",
    summary="List the profiles",
    response_model=Profiles,
    responses=ok("Profiles by name", examples.PROFILES) | problem_responses(),
)
def profiles(request: Request) -> Response:
    """Everyone whose drawing style was taught, and the adapter that is active."""
    with process_of(request).serving.borrow() as retriever:
        return _json(profiles_answer(retriever.room.list_adapters()))


async def _teach(request: Request, scope: Scope, name: str, params: TeachParams) -> Response:
    process, target = process_of(request), adapter_target(scope, name)
    with process.teaching.admission():
        upload = await read_upload(request)
        with process.workers.admission():
            work = teach(process, target, upload, force=params.force, dry_run=params.dry_run)
            answer = await process.workers.answer(work, request.receive)
    return Response(json_bytes(answer), 200 if params.dry_run else 201, media_type="application/json")


def _roll_back(request: Request, scope: Scope, name: str) -> ActiveAdapterId:
    with process_of(request).serving.borrow() as retriever:
        return ActiveAdapterId(active=retriever.room.roll_back(adapter_target(scope, name)))


def _activate(request: Request, scope: Scope, name: str, adapter_id: str) -> Response:
    with process_of(request).serving.borrow() as retriever:
        return _json(adapter_answer(retriever.room.activate(adapter_target(scope, name), adapter_id)))


def _look(request: Request, scope: Scope, name: str, adapter_id: str) -> Response:
    with process_of(request).serving.borrow() as retriever:
        return _json(adapter_answer(retriever.room.get_adapter(adapter_target(scope, name), adapter_id)))


def _delete(request: Request, scope: Scope, name: str, adapter_id: str, params: DeleteParams) -> Response:
    with process_of(request).serving.borrow() as retriever:
        retriever.room.delete(adapter_target(scope, name), adapter_id, with_photos=params.photos)
    return Response(status_code=204)


def _json(answer: dict[str, Any]) -> Response:
    return Response(json_bytes(answer), media_type="application/json")
