"""A job that fits a deep adapter: sketches encoded and photos drawn one by one in a thread behind, then one fit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from models.arrays import Vectors
from models.errors import InkseekError
from service.adaptation.deep import drawings_of, made, photos_to_draw, waiting_request
from service.adaptation.encoding import encode_sketch
from service.changes.errors import AdaptationFailed, JobCancelled
from service.config import Settings
from service.errors import QueueFull, ServiceError
from service.runtime.serving import Serving
from service.runtime.threads.workers import Workers
from service.search.retriever import Retriever
from service.store.jobs.job_store import JobStore
from service.store.jobs.records import JobRecord
from service.store.records import AdapterRecord, AdapterTarget

T = TypeVar("T")

_MOST_ITEMS = 100_000  # more than any setting lets a request have
_BUSY_S = 0.1


async def adapt_deep(job: JobRecord, jobs: JobStore, serving: Serving, workers: Workers, settings: Settings) -> str:
    """What to say of the adapter. Raises AdaptationFailed, JobCancelled, OnlineUnwritable, OnlineCorrupt."""
    request = waiting_request(await asyncio.to_thread(jobs.items, job.job_id, _MOST_ITEMS))

    def say(stage: str, done: int, total: int) -> None:
        if jobs.progress(job.job_id, stage, done, total).state != "running":
            raise JobCancelled("the job was cancelled; no adapter was stored")

    async def in_turn(step: Callable[[Retriever], T]) -> T:
        return await _behind(serving, workers, step)

    encode = partial(encode_sketch, target=AdapterTarget("category", request.category), frame=request.frame)
    try:
        sketches = []
        for number, data in enumerate(request.examples.sketches):
            await asyncio.to_thread(say, "encode", number, len(request.examples.sketches))
            sketches.append(await in_turn(partial(encode, data=data, number=number)))
        names = await in_turn(partial(photos_to_draw, request=request))
        drawings: dict[str, Vectors] = {}
        for number, name in enumerate(names):
            await asyncio.to_thread(say, "draw", number, len(names))
            drawings[name] = await in_turn(partial(drawings_of, photo_id=name))

        def finish(retriever: Retriever) -> AdapterRecord:
            most = settings.max_adapters, settings.max_online_photos
            return made(retriever, request, sketches, drawings, most, partial(say, "fit"))

        adapter = await in_turn(finish)
    except (ServiceError, JobCancelled):
        raise
    except InkseekError as error:
        raise AdaptationFailed(str(error)) from error
    where = f"version {adapter.version}, {adapter.adapter_id}" if adapter.adapter_id else "nothing was stored"
    return f"{where}: {'active' if adapter.activated else 'not active'}: {adapter.reason}"


async def _behind(serving: Serving, workers: Workers, step: Callable[[Retriever], T]) -> T:
    def run() -> T:
        with serving.borrow() as retriever:
            return step(retriever)

    while True:
        try:
            return await workers.run_behind(run, "jobs")
        except QueueFull:  # searches go first
            await asyncio.sleep(_BUSY_S)
