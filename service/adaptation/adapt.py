"""One adaptation over worker threads: each image is encoded in a job of its own, then one job fits and stores.

Nothing is stored before everything is known to be right, and then in one transaction.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

from models.bundle import Frame
from service.adaptation.encoding import EncodedSketch, encode_photo, encode_sketch
from service.adaptation.examples import Examples, SupportLimits, check_examples
from service.adaptation.fit import check, fit
from service.adaptation.targets import OwnProfile
from service.errors import ClientGone, SupportMismatch
from service.search.results import Stopwatch
from service.search.retriever import Retriever
from service.store.clock import timestamp
from service.store.records import AdapterRecord, AdapterTarget, NewAdapter, NewPhoto

T = TypeVar("T")


class RunJob(Protocol):
    """Runs a blocking job in a worker thread, with the retriever in service."""

    async def __call__(self, job: Callable[[Retriever], T], /) -> T:
        """What `job` returns or raises."""
        ...


@dataclass(frozen=True, slots=True)
class AdaptOptions:
    """How an adaptation is done: its limits, whether it is stored, and how many images are encoded at once.

    `frame`: whether sketches are brought to the size and place of strokes. `force`: activate even where the gate is not
    passed. `dry_run`: report only, store nothing.
    """

    support: SupportLimits
    max_adapters: int
    max_photos: int
    concurrency: int = 1
    force: bool = False
    dry_run: bool = False
    frame: Frame = "auto"


@dataclass(frozen=True, slots=True)
class OwnTarget:
    """The profile of a key, and the gallery whose photos the examples show."""

    profile: OwnProfile
    gallery: str


async def adapt(
    run: RunJob,
    target: AdapterTarget,
    read: Callable[[], Examples],
    options: AdaptOptions,
    own: OwnTarget | None = None,
) -> AdapterRecord:
    """The adapter as it was stored, or for a dry run as it would be.

    `read` parses the examples, in a worker thread. `own`: the key's profile, where `target` is that. Raises
    SupportError, ImageError, AdaptationUnavailable, AdaptersLimit, OnlinePhotosLimit, OnlineTargetsLimit, OnlineFull,
    OnlineUnwritable and what `read` raises.
    Cancelled before it is stored, nothing is stored.
    """
    # A thread cannot be interrupted: cancelled, `finish` runs on, and has to ask for itself whether to store.
    gone, stopwatch = threading.Event(), Stopwatch()

    def begin(retriever: Retriever) -> Examples:
        examples = read()
        check_examples(examples, options.support)
        check(retriever, target, examples)
        if own is not None and own.profile.bundle_id != retriever.bundle.bundle_id:
            raise SupportMismatch(
                "this gallery has another bundle than the default one, where the key's profile is kept"
            )
        if not options.dry_run:
            (retriever.store if own is None else own.profile.store).reject_when_full(target)
        return examples

    def finish(retriever: Retriever) -> AdapterRecord:
        with stopwatch.stage("fit"):
            new = fit(retriever, target, examples, sketches, photos, force=options.force)
            if own is not None:
                assert retriever.bundle.adaptation is not None
                new = own.profile.with_earlier(new, own.gallery, retriever.bundle.adaptation, options.support.max_pairs)
        # What is stored cannot hold the time that storing takes; only the answer has that.
        new = replace(new, timings_ms=stopwatch.timings())
        if options.dry_run:
            return dry_run_record(new)
        if gone.is_set():
            raise ClientGone("nobody waits for the adapter any more; nothing was stored")
        with stopwatch.stage("store"):
            store = retriever.store if own is None else own.profile.store
            stored = store.add(new, options.max_adapters, options.max_photos)
        return replace(stored, timings_ms=stopwatch.timings())

    try:
        examples = await run(begin)
        started = time.perf_counter()
        sketches, photos = await _encode_each(run, target, examples, options)
        stopwatch.add("encode", (time.perf_counter() - started) * 1000)
        return await run(finish)
    finally:
        gone.set()


def dry_run_record(new: NewAdapter) -> AdapterRecord:
    """The record of an adapter that is not stored: idle, without an id and a version."""
    return AdapterRecord(
        adapter_id="",
        target=new.target,
        version=0,
        bundle_id=new.bundle_id,
        adaptation_id=new.adaptation_id,
        method=new.method,
        k=len(new.support),
        margin=new.margin,
        leave_one_out=new.leave_one_out_figures,
        activated=False,
        reason=f"dry run, {'would be activated' if new.activate else 'would not be activated'}: {new.reason}",
        created_at=timestamp(),
        photos_added=(),
        timings_ms=new.timings_ms,
        state="idle",
    )


async def _encode_each(
    run: RunJob, target: AdapterTarget, examples: Examples, options: AdaptOptions
) -> tuple[list[EncodedSketch], dict[int, NewPhoto]]:
    # As many at a time as there are threads: an adaptation takes its turn between other requests.
    turn = asyncio.Semaphore(options.concurrency)

    async def in_turn(encode: Callable[[Retriever], T]) -> T:
        async with turn:
            return await run(encode)

    encode = partial(encode_sketch, target=target, frame=options.frame)
    sketches = [
        asyncio.ensure_future(in_turn(partial(encode, data=data, number=number)))
        for number, data in enumerate(examples.sketches)
    ]
    photos = [
        asyncio.ensure_future(in_turn(partial(encode_photo, category=target.name, data=data, number=number)))
        for number, data in examples.uploads
    ]
    try:
        encoded = await asyncio.gather(*sketches)
        numbers = [number for number, _ in examples.uploads]
        return encoded, dict(zip(numbers, await asyncio.gather(*photos), strict=True))
    finally:
        # When one fails, `gather` lets the others run on: those that wait for their turn must not take it.
        for task in (*sketches, *photos):
            task.cancel()
