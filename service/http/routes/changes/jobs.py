"""Changes in bulk and rebuilds, as jobs; their results, and the versions that they made."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from service.changes.errors import JobNotFound, JobOver, JobsLimit
from service.changes.rebuilding import queue_photos, queue_rebuild
from service.changes.versions import versions_of
from service.errors import BatchTooLarge, BodyInvalid, OnlineFull, OnlineUnwritable
from service.http.admission.auth import principal_of
from service.http.admission.metering import charge
from service.http.forms.batch_form import read_changes
from service.http.json_response import json_response
from service.http.openapi.responses import Responses, accepted, ok, problem_responses
from service.http.problem_kinds import KINDS
from service.http.route import api_router
from service.http.routes.search import TRAFFIC_ERRORS
from service.http.schemas.base import PHOTOS_PATH
from service.http.schemas.changes.jobs import (
    CHANGES_BODY,
    JOB_EXAMPLE,
    JOBS_EXAMPLE,
    VERSIONS_EXAMPLE,
    Job,
    Jobs,
    RebuildParams,
    Versions,
    job_json,
    versions_json,
)
from service.http.serving import process_of, read_upload, serving_of
from service.http.tenancy import base_path, gallery_of
from service.store.jobs.job_store import JobStore
from service.store.jobs.records import WAITING, JobRecord

router = api_router("changes", "write")
jobs_router = api_router("changes", "write", own="adapt")

JobId = Annotated[
    str,
    Path(
        description="A job's id.",
        examples=["job-5f0c2d9a71be"],
        json_schema_extra={"minLength": 1, "pattern": "^[^/:]+$"},
    ),
]
_CODES = {kind.__name__: of.code for kind, of in KINDS.items()}


def _accepted() -> Responses:
    return accepted("The job, queued", JOB_EXAMPLE)


@router.post(
    PHOTOS_PATH + ":batch",
    operation_id="change_photos",
    summary="Change many photos",
    status_code=202,
    response_model=Job,
    responses=_accepted()
    | problem_responses(BodyInvalid, BatchTooLarge, JobsLimit, OnlineFull, OnlineUnwritable, *TRAFFIC_ERRORS),
    openapi_extra=CHANGES_BODY,
)
async def change_photos(request: Request) -> Response:
    """Uploads, descriptions and deletions as one job, done in their order in the background.

    With the answer all of it is on the disk: a job goes on where it was, whatever ends a process. An item that cannot
    be done is listed in the job's `problems` and stops no other.
    """
    upload, settings = await read_upload(request), gallery_of(request).settings
    items = await run_in_threadpool(read_changes, upload, settings.max_change_items)
    await charge(request, changes=True, cost=len(items) - 1)  # one was counted when the request came
    add = partial(queue_photos, _jobs_of(request), items, principal_of(request).name, settings.max_online_bytes)
    return queued_job(request, await run_in_threadpool(add))


@router.post(
    "/v1/index:rebuild",
    operation_id="rebuild_index",
    summary="Bring the index up to date",
    status_code=202,
    response_model=Job,
    responses=_accepted() | problem_responses(JobsLimit, OnlineFull, OnlineUnwritable),
)
def rebuild_index(request: Request, params: Annotated[RebuildParams, Query()]) -> Response:
    """As a job: with the gallery's folder, as `inkseek index update` does, and with what changed online, sealed.

    Searches go on with the version in service, and change over to the new one between two requests.
    """
    settings = gallery_of(request).settings
    created_by = principal_of(request).name
    job = queue_rebuild(_jobs_of(request), created_by, settings.max_online_bytes, update=params.photos)
    return queued_job(request, job)


@jobs_router.get(
    "/v1/jobs",
    summary="List the jobs",
    response_model=Jobs,
    responses=ok("The newest first", JOBS_EXAMPLE) | problem_responses(),
)
def list_jobs(request: Request) -> Response:
    """Of the gallery: those that wait or run, and the last hundred. A key without `write` sees those that it queued."""
    shown = [job for job in _jobs_of(request).every() if _may_see(request, job)]
    return json_response({"jobs": [job_json(job, _CODES) for job in shown]})


@jobs_router.get(
    "/v1/jobs/{job_id:adapter_id}",
    summary="Show a job",
    response_model=Job,
    responses=ok("The job", JOB_EXAMPLE) | problem_responses(JobNotFound),
)
def get_job(request: Request, job_id: JobId) -> Response:
    """How far it is, and which items failed. For a key without `write`, jobs that it did not queue do not exist."""
    return json_response(job_json(_found(request, job_id), _CODES))


@jobs_router.post(
    "/v1/jobs/{job_id:adapter_id}:cancel",
    operation_id="cancel_job",
    summary="Cancel a job",
    response_model=Job,
    responses=ok("The job", JOB_EXAMPLE) | problem_responses(JobNotFound, JobOver, OnlineUnwritable),
)
def cancel_job(request: Request, job_id: JobId) -> Response:
    """What it has changed stays; a rebuild that is cancelled publishes nothing further."""
    _found(request, job_id)
    before = _jobs_of(request).cancel(job_id)
    if before is not None and before.state not in WAITING:
        raise JobOver(f"job {job_id} is {before.state}")
    return json_response(job_json(_found(request, job_id), _CODES))


@router.get(
    "/v1/versions",
    summary="List the versions of the index",
    response_model=Versions,
    responses=ok("The newest first", VERSIONS_EXAMPLE) | problem_responses(),
)
def list_versions(request: Request) -> Response:
    """Those that `inkseek index rollback` can go back to, and how many changes lie over the one in service."""
    versions = versions_of(gallery_of(request).settings.index)
    with serving_of(request) as retriever:
        changes = retriever.store.state().changes
        return json_response(versions_json(versions, retriever.index.version, changes.count))


def _jobs_of(request: Request) -> JobStore:
    return JobStore(gallery_of(request).settings.online_folder)


def queued_job(request: Request, job: JobRecord) -> Response:
    """The 202 of a job that was queued, and where it is shown."""
    process_of(request).metrics.galleries.jobs.labels(job.kind).inc()
    response = json_response(job_json(job, _CODES), 202)
    response.headers["Location"] = f"{base_path(request)}/jobs/{job.job_id}"
    return response


def _may_see(request: Request, job: JobRecord) -> bool:
    principal = principal_of(request)
    return "write" in principal.access or (principal.key_id is not None and job.key_id == principal.key_id)


def _found(request: Request, job_id: str) -> JobRecord:
    job = _jobs_of(request).get(job_id)
    if job is None or not _may_see(request, job):
        raise JobNotFound(f"there is no job {job_id!r} in this gallery")
    return job
