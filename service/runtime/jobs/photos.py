"""A job of many photos: each embedded in a thread aside, and some at a time stored with how far the job is."""

from __future__ import annotations

import asyncio

from models.errors import InkseekError
from service.changes.batch import item_change, waiting_item
from service.config import Settings
from service.errors import QueueFull
from service.runtime.serving import Serving
from service.runtime.threads.workers import Workers
from service.store.jobs.job_store import JobStore
from service.store.jobs.records import ItemChange, ItemProblem, JobItem, JobRecord

_ITEMS_AT_ONCE = 16  # of one transaction: each is a wait for the disk
_BUSY_S = 0.1


async def change_photos(job: JobRecord, jobs: JobStore, serving: Serving, workers: Workers, settings: Settings) -> str:
    """Do the items that are left of a job; what to say of it. Raises OnlineUnwritable, OnlineCorrupt."""
    record = job
    while items := await asyncio.to_thread(jobs.items, job.job_id, _ITEMS_AT_ONCE):
        outcomes = [await _outcome(item, serving, workers) for item in items]

        def store(outcomes: list[ItemChange | ItemProblem] = outcomes) -> JobRecord:
            with serving.borrow() as retriever:
                return jobs.apply(
                    job.job_id,
                    outcomes,
                    retriever.bundle.bundle_id,
                    settings.max_online_photos,
                    settings.max_online_bytes,
                    lambda change, error: _problem(change.position, change.photo_id, error),
                    retriever.store.after,
                )

        record = await asyncio.to_thread(store)
        if record.state != "running":
            break
    return f"{record.done - record.failed:,} of {record.done:,} changes were made"


async def _outcome(queued: JobItem, serving: Serving, workers: Workers) -> ItemChange | ItemProblem:
    item = waiting_item(queued)

    def change() -> ItemChange:
        with serving.borrow() as retriever:
            return item_change(retriever, queued.position, item)

    while True:
        try:
            return await workers.run_behind(change, "jobs")
        except QueueFull:  # no decoder is free: searches go first
            await asyncio.sleep(_BUSY_S)
        except InkseekError as error:
            return _problem(queued.position, item.photo_id, error)


def _problem(position: int, photo_id: str, error: InkseekError) -> ItemProblem:
    return ItemProblem(position, photo_id, type(error).__name__, str(error))
