"""A deep adaptation queued: what can be said of its examples at once is, the rest is in the job."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from service.adaptation.deep import DeepRequest, queued_request
from service.adaptation.examples import SupportLimits, check_examples
from service.adaptation.fit import check
from service.adaptation.targets import adapter_target
from service.changes.rebuilding import queue_adaptation
from service.errors import SupportMismatch
from service.http.admission.auth import principal_of
from service.http.forms.support_form import read_examples
from service.http.routes.changes.jobs import queued_job
from service.http.schemas.adaptation.adapters import AdaptParams
from service.http.serving import answer_job, read_upload
from service.http.tenancy import gallery_of
from service.search.retriever import Retriever
from service.store.jobs.job_store import JobStore
from service.store.jobs.records import JobRecord
from service.store.records import Scope


async def queue_deep(request: Request, scope: Scope, name: str, params: AdaptParams) -> Response:
    """The 202 of a job that encodes, draws and fits.

    Raises SupportError, AdaptationUnavailable, JobsLimit, AdaptersLimit, OnlineTargetsLimit, OnlineFull and
    OnlineUnwritable.
    """
    if scope == "profile":
        raise SupportMismatch("a drawing style moves sketches alone, so it has no projection to tune: leave depth out")
    target, settings = adapter_target(scope, name), gallery_of(request).settings
    limits = SupportLimits(settings.max_pairs, settings.max_support_photos)
    upload, principal = await read_upload(request), principal_of(request)

    def queue(retriever: Retriever) -> JobRecord:
        examples = read_examples(upload, limits)
        check_examples(examples, limits)
        items = queued_request(DeepRequest(target.name, examples, params.force, params.dry_run, params.frame))
        check(retriever, target, examples)
        if not params.dry_run:
            retriever.store.reject_when_full(target)
        jobs = JobStore(settings.online_folder)
        return queue_adaptation(jobs, items, principal.name, settings.max_online_bytes, principal.key_id)

    return queued_job(request, await answer_job(request, queue, aside=True))
