"""One request that teaches, over the worker threads: each image is encoded in a job of its own, then one job fits."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from service.adaptation.examples import Examples, SupportLimits, read_examples
from service.adaptation.fit import EncodedSketch, check, encode_photo, encode_sketch, fit, photos_to_encode
from service.errors import ClientGone
from service.http.adapter_answers import adapter_answer, dry_run_answer
from service.http.body import Upload
from service.http.requests import Process
from service.search.retriever import Retriever, Stopwatch
from service.store.records import AdapterTarget, NewAdapter, NewPhoto

T = TypeVar("T")


async def teach(
    process: Process, target: AdapterTarget, upload: Upload, *, force: bool, dry_run: bool
) -> dict[str, Any]:
    """As schemas.adapters.Adapter. Raises what `read_examples`, `check`, the encoding, `fit` and storing raise.

    Cancelled (nobody waits any more) before it is stored, nothing is stored.
    """
    settings = process.settings
    outcome, gone, watch = "refused", threading.Event(), Stopwatch()
    try:
        limits = SupportLimits(settings.max_pairs, settings.max_support_photos)
        examples = await process.workers.run(partial(_read, process, target, upload, limits))
        started = time.perf_counter()
        sketches, photos = await _encode_each(process, target, examples)
        watch.stages_ms["encode"] = (time.perf_counter() - started) * 1000

        def finish() -> dict[str, Any]:
            with process.serving.borrow() as retriever:
                with watch.stage("fit"):
                    new = fit(retriever, target, examples, sketches, photos, force=force)
                return _store(process, retriever, replace(new, timings_ms=watch.timings()), watch, gone, dry_run)

        answer = await process.workers.run(finish)
        outcome = "dry_run" if dry_run else "active" if answer["activated"] else "idle"
        return answer
    finally:
        gone.set()
        process.metrics.fits.labels(target.scope, outcome).inc()


def _read(process: Process, target: AdapterTarget, upload: Upload, limits: SupportLimits) -> Examples:
    examples = read_examples(upload, limits)
    with process.serving.borrow() as retriever:
        check(retriever, target, examples)
    return examples


async def _encode_each(
    process: Process, target: AdapterTarget, examples: Examples
) -> tuple[list[EncodedSketch], dict[int, NewPhoto]]:
    # As many at a time as there are threads: a lesson takes its turn between other requests.
    turn = asyncio.Semaphore(process.workers.threads)

    async def run(encode: Callable[[Retriever], T]) -> T:
        def job() -> T:
            with process.serving.borrow() as retriever:
                return encode(retriever)

        async with turn:
            return await process.workers.run(job)

    numbered = photos_to_encode(examples)
    sketches = [
        asyncio.ensure_future(run(partial(encode_sketch, data=data, number=number)))
        for number, data in enumerate(examples.sketches)
    ]
    photos = [
        asyncio.ensure_future(run(partial(encode_photo, category=target.name, data=data, number=number)))
        for number, data in numbered
    ]
    try:
        return await asyncio.gather(*sketches), dict(
            zip([number for number, _ in numbered], await asyncio.gather(*photos), strict=True)
        )
    finally:
        for task in (*sketches, *photos):
            task.cancel()


def _store(
    process: Process, retriever: Retriever, new: NewAdapter, watch: Stopwatch, gone: threading.Event, dry_run: bool
) -> dict[str, Any]:
    if dry_run:
        return dry_run_answer(new)
    if gone.is_set():
        raise ClientGone("nobody waits for the adapter any more; nothing was stored")
    with watch.stage("store"):
        stored = retriever.room.add(new, process.settings.max_adapters, process.settings.max_online_photos)
    return adapter_answer(replace(stored, timings_ms=watch.timings()))
