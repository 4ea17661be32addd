"""Category adapters and style adapters: fit, list, activate, roll back, delete. One router made for each scope."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from index_builder.artifact import StoreUnavailable
from service.adaptation.adapt import AdaptOptions, OwnTarget, adapt
from service.adaptation.examples import Examples, SupportLimits
from service.adaptation.listing import adapters_of, own_adapters, own_record, profiles_of
from service.adaptation.targets import adapter_target
from service.changes.errors import JobsLimit
from service.errors import (
    AdaptationUnavailable,
    AdapterNotFound,
    AdaptersLimit,
    AdapterStale,
    CategoryTooSmall,
    NameInvalid,
    NothingToRollBack,
    OnlineFull,
    OnlinePhotosLimit,
    OnlineTargetsLimit,
    OnlineUnwritable,
    PairContradictory,
    PairDuplicate,
    PhotoElsewhere,
    SupportMismatch,
    SupportOnePhoto,
    TooManyPairs,
    UnknownPhoto,
)
from service.http.admission.auth import require
from service.http.forms.support_form import read_examples
from service.http.json_response import json_response
from service.http.openapi.request_bodies import EXAMPLES_BODY
from service.http.openapi.responses import Responses, accepted, created, ok, problem_responses
from service.http.own_profile import is_own, own_profile_of, required_own_profile, store_of_target
from service.http.route import api_router
from service.http.routes.adaptation.adapter_scopes import CATEGORY, PROFILE, ScopeRoutes
from service.http.routes.adaptation.deep import queue_deep
from service.http.routes.search import SKETCH_ERRORS, TRAFFIC_ERRORS
from service.http.schemas.adaptation.adapters import (
    PROFILES_EXAMPLE,
    ActiveAdapterId,
    Adapter,
    Adapters,
    AdaptParams,
    DeleteParams,
    Profiles,
    adapter_json,
    adapters_json,
    dry_run_example,
    profiles_json,
)
from service.http.schemas.changes.jobs import DEEP_JOB_EXAMPLE, Job
from service.http.serving import ThreadJobs, answer_work, process_of, read_upload, serving_of
from service.http.tenancy import base_path, gallery_of, tenant_of
from service.store.records import AdapterRecord, Scope

AdapterId = Annotated[
    str,
    Path(
        description="An adapter's id.",
        examples=["adapter-5f0c2d9a71be"],
        json_schema_extra={"minLength": 1, "pattern": "^[^/:]+$"},
    ),
]

_FIT_ERRORS = (
    *SKETCH_ERRORS,
    *TRAFFIC_ERRORS,
    StoreUnavailable,
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
    OnlineTargetsLimit,
    OnlineFull,
    AdaptationUnavailable,
    OnlineUnwritable,
)


def scope_router(routes: ScopeRoutes) -> APIRouter:
    """The routes of one scope. The order matters: of two that match a path, the first one answers."""
    router = api_router("adaptation", "adapt")
    _add_changes(router, routes)
    _add_lookups(router, routes)
    return router


def _add_changes(router: APIRouter, routes: ScopeRoutes) -> None:
    in_path, noun = routes.in_path, routes.noun
    report: Responses = {**ok("Only a report: `dry_run`", dry_run_example(routes.adapter))}
    report[200]["model"] = Adapter
    is_deepened = routes.scope == "category"
    queued: Responses = {**accepted("The job, queued: `depth=deep`", DEEP_JOB_EXAMPLE)} if is_deepened else {}
    errors = (*_FIT_ERRORS, JobsLimit) if is_deepened else _FIT_ERRORS
    if is_deepened:
        queued[202]["model"] = Job

    @router.post(
        routes.path,
        operation_id=routes.operation("fit"),
        summary=routes.fit_summary,
        description=routes.fit_description,
        status_code=201,
        response_model=Adapter,
        responses=created("The adapter, stored", routes.adapter) | report | queued | problem_responses(*errors),
        openapi_extra=EXAMPLES_BODY,
    )
    async def fit_adapter(request: Request, params: Annotated[AdaptParams, Query()], name: str = in_path) -> Response:
        if params.depth == "deep":
            return await queue_deep(request, routes.scope, name, params)
        adapter = await _adapt(request, routes.scope, name, params)
        if params.dry_run:
            return json_response(adapter_json(adapter))
        made = json_response(adapter_json(adapter), 201)
        path = routes.path.removeprefix("/v1").replace(f"{{{routes.parameter}}}", quote(name, safe=""))
        made.headers["Location"] = f"{base_path(request)}{path}/{adapter.adapter_id}"
        return made

    @router.post(
        routes.path + ":rollback",
        operation_id=routes.operation("roll_back"),
        summary=f"Activate the {noun} that was active before",
        description=routes.rollback_description,
        responses=ok("The active adapter", {"active": routes.adapter["adapter_id"]})
        | problem_responses(NameInvalid, NothingToRollBack, OnlineUnwritable),
    )
    def roll_back(request: Request, name: str = in_path) -> ActiveAdapterId:
        # A plain `def`: FastAPI's own threads wait for disk and other writers; worker threads are for encoders.
        with store_of_target(request, routes.scope, name) as (store, target):
            return ActiveAdapterId(active=store.roll_back(target))

    @router.post(
        routes.path + "/{adapter_id:adapter_id}:activate",
        operation_id=routes.operation("activate"),
        summary=f"Activate a {noun}",
        description="Any stored adapter of the bundle in service, whatever its leave-one-out figures.",
        response_model=Adapter,
        responses=ok("The adapter", routes.adapter)
        | problem_responses(NameInvalid, AdapterNotFound, AdapterStale, OnlineUnwritable),
    )
    def activate(request: Request, adapter_id: AdapterId, name: str = in_path) -> Response:
        with store_of_target(request, routes.scope, name) as (store, target):
            adapter = store.activate(target, adapter_id)
        return json_response(adapter_json(adapter))

    @router.delete(
        routes.path + "/{adapter_id:adapter_id}",
        operation_id=routes.operation("delete"),
        summary=f"Delete a {noun}",
        description="With its examples. If it was active, the adapter before it is active again.",
        status_code=204,
        responses=problem_responses(NameInvalid, AdapterNotFound, OnlineUnwritable),
    )
    def delete(
        request: Request, adapter_id: AdapterId, params: Annotated[DeleteParams, Query()], name: str = in_path
    ) -> Response:
        if params.photos:
            require(request, "write")
        with store_of_target(request, routes.scope, name) as (store, target):
            store.delete(target, adapter_id, with_photos=params.photos)
        return Response(status_code=204)


def _add_lookups(router: APIRouter, routes: ScopeRoutes) -> None:
    in_path, noun = routes.in_path, routes.noun
    listed = {"adapters": [routes.adapter], "active": routes.adapter["adapter_id"]}

    @router.get(
        routes.path,
        operation_id=routes.operation("list") + "s",
        summary=f"List the {noun}s",
        description=f"The newest first. Those of other bundles are listed too, as `stale`. A {routes.scope} that does "
        "not exist is not found.",
        response_model=Adapters,
        responses=ok("The newest first", listed) | problem_responses(NameInvalid, routes.absent),
    )
    def list_adapters(request: Request, name: str = in_path) -> Response:
        if is_own(routes.scope, name):
            own = required_own_profile(request)
            return json_response(adapters_json(own_adapters(own)))
        with serving_of(request) as retriever:
            return json_response(adapters_json(adapters_of(retriever, adapter_target(routes.scope, name))))

    @router.get(
        routes.path + "/{adapter_id:adapter_id}",
        operation_id=routes.operation("get"),
        summary=f"Show a {noun}",
        description="How many examples it was fitted to, its leave-one-out figures, its state.",
        response_model=Adapter,
        responses=ok("The adapter", routes.adapter) | problem_responses(NameInvalid, AdapterNotFound),
    )
    def get_adapter(request: Request, adapter_id: AdapterId, name: str = in_path) -> Response:
        with store_of_target(request, routes.scope, name) as (store, target):
            adapter = store.get_adapter(target, adapter_id)
        return json_response(adapter_json(adapter))


async def _adapt(request: Request, scope: Scope, name: str, params: AdaptParams) -> AdapterRecord:
    """Admits, reads and counts the request; the use case does the rest."""
    process, tenant = process_of(request), tenant_of(request)
    own = OwnTarget(required_own_profile(request), gallery_of(request).name) if is_own(scope, name) else None
    target = adapter_target(scope, name) if own is None else own.profile.target
    settings = gallery_of(request).settings  # a gallery may have quotas of its own
    limits = SupportLimits(settings.max_pairs, settings.max_support_photos)
    options = AdaptOptions(
        limits,
        settings.max_adapters,
        settings.max_online_photos,
        process.workers.threads,
        params.force,
        params.dry_run,
        params.frame,
    )
    # Until it is known better: whatever is raised below counts as this.
    outcome = "rejected"
    process.adaptations.reject_when_full(tenant)
    # Before a slot is taken: a client that sends its body slowly, or not at all, would keep it from all others.
    upload = await read_upload(request)
    with process.adaptations.admission(tenant):

        def read() -> Examples:
            examples = read_examples(upload, limits)
            if examples.uploads and not params.dry_run:
                require(request, "write")  # they join the gallery
            return examples

        try:
            adapter = await answer_work(
                request, lambda: adapt(ThreadJobs(request, aside=True), target, read, options, own)
            )
            outcome = "dry_run" if params.dry_run else "active" if adapter.activated else "idle"
        finally:
            process.metrics.fits.labels(scope, outcome).inc()
    return adapter


profiles_router = api_router("adaptation", "search")


@profiles_router.get(
    "/v1/profiles",
    summary="List the profiles",
    response_model=Profiles,
    responses=ok("Profiles by name", PROFILES_EXAMPLE) | problem_responses(),
)
def list_profiles(request: Request) -> Response:
    """Every profile that has style adapters, and the one that is active. That of the request's own key is `@key`."""
    own = own_profile_of(request)
    with serving_of(request) as retriever:
        records = profiles_of(retriever)
    return json_response(profiles_json([*([] if own is None else own_record(own)), *records]))


ROUTERS = (scope_router(CATEGORY), scope_router(PROFILE), profiles_router)
