"""Looks for jobs of one gallery that wait, in every process that serves it, and does one at a time."""

from __future__ import annotations

import asyncio
import logging
import os
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from models.errors import InkseekError
from service.changes.rebuilding import seal_when_due
from service.config import Settings
from service.errors import ServiceError
from service.runtime.jobs.adapt import adapt_deep
from service.runtime.jobs.builder import IndexBuilder
from service.runtime.jobs.photos import change_photos
from service.runtime.jobs.rebuild import rebuild
from service.runtime.serving import Serving
from service.runtime.threads.workers import Workers
from service.store.jobs.job_store import JobStore
from service.store.jobs.records import JobRecord, JobState

_log = logging.getLogger("inkseek.service")

_LOOK_EVERY_S = 0.25
_SEAL_EVERY_S = 5.0


class JobRunner:
    """The jobs of one gallery, as one process does them. Used from one event loop."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        serving: Serving,
        workers: Workers,
        hold: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        """`settings`: those of the gallery, whose name is for the log; `hold` keeps it open while a job runs."""
        self._name = name
        self._settings = settings
        self._serving = serving
        self._workers = workers
        self._hold = hold
        self._jobs = JobStore(settings.online_folder)
        self._owner = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._problem: str | None = None
        self._seal_at = 0.0

    async def run(self) -> None:
        """Do what waits until cancelled; what is then under way waits for the next process. Changes nothing that is
        read-only.
        """
        while not self._settings.read_only:
            job = await asyncio.to_thread(self._claimed)
            if job is None:
                await asyncio.sleep(_LOOK_EVERY_S)
            else:
                with self._hold():
                    await self._do(job)

    def _claimed(self) -> JobRecord | None:
        try:
            if time.monotonic() >= self._seal_at:
                self._seal_at = time.monotonic() + _SEAL_EVERY_S
                with self._serving.borrow() as retriever:
                    seal_when_due(retriever, self._jobs, self._settings)
            job = self._jobs.claim(self._owner)
        except (InkseekError, OSError) as error:  # whatever it is, searches go on, and the next look may find it mended
            if str(error) != self._problem:
                _log.error("the jobs of gallery %s cannot be read: %s", self._name, error)
            self._problem = str(error)
            return None
        self._problem = None
        return job

    async def _do(self, job: JobRecord) -> None:
        _log.info("gallery %s: job %s (%s) begins", self._name, job.job_id, job.kind)
        state: JobState = "failed"
        detail = ""
        try:
            if job.kind == "photos":
                detail = await change_photos(job, self._jobs, self._serving, self._workers, self._settings)
            elif job.kind == "adapt":
                detail = await adapt_deep(job, self._jobs, self._serving, self._workers, self._settings)
            else:
                builder = IndexBuilder(job.job_id, self._jobs, self._settings)
                detail = await rebuild(job, self._jobs, self._serving, builder, self._settings)
            state = "done"
        except asyncio.CancelledError:
            state = "queued"
            raise
        except ServiceError as error:
            detail = str(error)
            _log.error("gallery %s: job %s failed: %s", self._name, job.job_id, error)
        except Exception as error:  # whatever it is, the next job is done
            detail = f"the service failed ({type(error).__name__}); its log says why"
            _log.exception("gallery %s: job %s failed", self._name, job.job_id)
        finally:
            # Not awaited: a task that is being cancelled cannot wait for a thread.
            self._end(job, state, detail)

    def _end(self, job: JobRecord, state: JobState, detail: str) -> None:
        try:
            self._jobs.end(job.job_id, state, detail)
        except InkseekError as error:
            _log.error("job %s cannot be marked as %s: %s", job.job_id, state, error)
