"""Which jobs may be queued, and when changes are sealed by themselves."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from service.changes.batch import BatchItem, queued_item
from service.changes.errors import JobsLimit
from service.config import Settings
from service.search.retriever import Retriever
from service.store.jobs.job_store import JobStore
from service.store.jobs.records import WAITING, JobItem, JobRecord

SERVICE = "the service"
"""Who queues the jobs that nobody asked for."""

_MOST_WAITING = 16
_AGAIN_AFTER = timedelta(minutes=10)


def queue_photos(jobs: JobStore, items: Sequence[BatchItem], created_by: str, max_bytes: int) -> JobRecord:
    """A job of these changes, on the disk. Raises JobsLimit, OnlineFull, OnlineUnwritable."""
    queued = [queued_item(position, item) for position, item in enumerate(items)]
    return jobs.add("photos", queued, created_by, max_bytes, _reject_too_many)


def queue_adaptation(
    jobs: JobStore, items: Sequence[JobItem], created_by: str, max_bytes: int, key_id: str | None = None
) -> JobRecord:
    """A job that fits a deep adapter, for the key of that id. Raises as `queue_photos`."""
    return jobs.add("adapt", items, created_by, max_bytes, _reject_too_many, key_id)


def queue_rebuild(jobs: JobStore, created_by: str, max_bytes: int, *, update: bool) -> JobRecord:
    """A job that seals what changed, after an `update` from the gallery's folder. Raises as `queue_photos`."""
    item = JobItem(0, json.dumps({"update": update}))
    return jobs.add("rebuild", [item], created_by, max_bytes, _reject_second_rebuild)


def seal_when_due(retriever: Retriever, jobs: JobStore, settings: Settings) -> None:
    """Queue a rebuild once there are `seal_after` changes that the index lacks, where its directory can be written."""
    count = retriever.store.state().changes.count
    if not settings.seal_after or count < settings.seal_after or not os.access(settings.index, os.W_OK):
        return
    known = jobs.every()
    recent = datetime.now(UTC) - _AGAIN_AFTER
    if any(job.kind == "rebuild" and (job.state in WAITING or _time(job) > recent) for job in known):
        return  # one is under way, or did not help
    try:
        queue_rebuild(jobs, SERVICE, settings.max_online_bytes, update=False)
    except JobsLimit:  # another process was faster
        return


def _time(job: JobRecord) -> datetime:
    return datetime.fromisoformat(job.updated_at)


def _reject_too_many(waiting: Sequence[JobRecord]) -> None:
    if len(waiting) >= _MOST_WAITING:
        raise JobsLimit(f"{len(waiting)} jobs of this gallery wait or run, which is as many as may")


def _reject_second_rebuild(waiting: Sequence[JobRecord]) -> None:
    _reject_too_many(waiting)
    if running := next((job for job in waiting if job.kind == "rebuild"), None):
        raise JobsLimit(f"job {running.job_id} rebuilds the index already")
