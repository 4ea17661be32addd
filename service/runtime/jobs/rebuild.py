"""A job that brings the index up to date with the gallery's folder, if that is wanted, and with changes online."""

from __future__ import annotations

import asyncio
import json
import shutil

from index_builder.artifact import OnlineChanges
from index_builder.artifact.layout import current_version
from service.changes.errors import RebuildFailed
from service.changes.sealing import hand_over
from service.config import Settings
from service.runtime.jobs.builder import IndexBuilder
from service.runtime.serving import Serving
from service.store.jobs.job_store import JobStore
from service.store.jobs.records import JobRecord

_SERVED_WITHIN_S = 120.0
_LOOK_EVERY_S = 0.2
_FOLDER = "handed_over"


async def rebuild(job: JobRecord, jobs: JobStore, serving: Serving, builder: IndexBuilder, settings: Settings) -> str:
    """What to say of it. Raises RebuildFailed, JobCancelled, OnlineUnwritable, OnlineCorrupt, OSError."""
    (item,) = await asyncio.to_thread(jobs.items, job.job_id, 1)
    bundle = str(serving.bundle.path)
    before = serving.version
    if json.loads(item.item)["update"]:
        await builder.run("update", bundle)
        await _until_served(serving, settings)
    folder = settings.online_folder / _FOLDER / job.job_id

    def handed_over() -> OnlineChanges | None:
        # Of a job that was killed; nobody else has a folder here, since one job of a gallery runs at a time.
        shutil.rmtree(folder.parent, ignore_errors=True)
        with serving.borrow() as retriever:
            return hand_over(retriever, folder)

    try:
        changes = await asyncio.to_thread(handed_over)
        if changes is not None:
            await builder.run("seal", bundle, "--changes", str(folder))
            await _until_served(serving, settings)
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)
    if serving.version == before:
        return f"version {before} is up to date"
    sealed = 0 if changes is None else changes.count
    return f"version {serving.version} is in service; {sealed:,} changed photos were sealed"


async def _until_served(serving: Serving, settings: Settings) -> None:
    """Until this process serves what was published. Raises RebuildFailed."""
    try:
        async with asyncio.timeout(_SERVED_WITHIN_S):
            while serving.version != await asyncio.to_thread(current_version, settings.index):
                await asyncio.sleep(_LOOK_EVERY_S)
    except TimeoutError:
        raise RebuildFailed("a new version is published, and the service cannot load it: /readyz says why") from None
