"""Jobs, versions, and what is being served."""

from __future__ import annotations

import asyncio
import time

from inkseek_client.calls import operation as calls
from inkseek_client.errors import JobFailed, TimedOut
from inkseek_client.folder import Progress
from inkseek_client.schemas.jobs import Job, Jobs, Versions
from inkseek_client.schemas.operation import Info, Readiness
from inkseek_client.sending import AsyncSender, Sender

_POLL_S = 0.5


class Operation(Sender):
    """Methods about the service itself. All raise InkseekClientError."""

    def rebuild_index(self, *, photos: bool = True) -> Job:
        """Bring the index up to date as a job; `photos` also compares the gallery's folder."""
        return self._send(calls.rebuild(photos))

    def jobs(self) -> Jobs:
        """Jobs that wait or run, and the last hundred, the newest first."""
        return self._send(calls.jobs())

    def job(self, job_id: str) -> Job:
        """How far a job is, and which items failed. Raises NotFound."""
        return self._send(calls.job(job_id))

    def cancel_job(self, job_id: str) -> Job:
        """Cancel it; what it has changed stays. Raises NotFound; Conflict when it is over."""
        return self._send(calls.cancel(job_id))

    def wait_for(
        self, job: Job | str, *, timeout_s: float = 3600.0, poll_s: float = _POLL_S, progress: Progress | None = None
    ) -> Job:
        """The job once it is done; `problems` of it lists items that changed nothing.

        `poll_s`: seconds between two looks. `progress`: called with items done, and of how many. Raises JobFailed, also
        where it was cancelled; TimedOut after `timeout_s` seconds, while the job goes on.
        """
        job_id, deadline = _id_of(job), time.monotonic() + timeout_s
        while not (now := self._send(calls.job(job_id))).is_over:
            _report(now, progress)
            _reject_late(now, deadline)
            time.sleep(poll_s)
        return _ended(now, progress)

    def versions(self) -> Versions:
        """Versions of the index that are kept, the newest first."""
        return self._send(calls.versions())

    def info(self) -> Info:
        """Versions, limits, filterable metadata, and in `access` what the key may do."""
        return self._send(calls.info())

    def ready(self) -> Readiness:
        """That sketches are answered right. Raises TryLater where they are not."""
        return self._send(calls.ready())

    def metrics(self) -> str:
        """Prometheus metrics as text; needs a key with the scope `admin` where there are keys."""
        return self._send(calls.metrics())


class AsyncOperation(AsyncSender):
    """The same for asyncio."""

    async def rebuild_index(self, *, photos: bool = True) -> Job:
        """As `Client.rebuild_index`."""
        return await self._send(calls.rebuild(photos))

    async def jobs(self) -> Jobs:
        """As `Client.jobs`."""
        return await self._send(calls.jobs())

    async def job(self, job_id: str) -> Job:
        """As `Client.job`."""
        return await self._send(calls.job(job_id))

    async def cancel_job(self, job_id: str) -> Job:
        """As `Client.cancel_job`."""
        return await self._send(calls.cancel(job_id))

    async def wait_for(
        self, job: Job | str, *, timeout_s: float = 3600.0, poll_s: float = _POLL_S, progress: Progress | None = None
    ) -> Job:
        """As `Client.wait_for`."""
        job_id, deadline = _id_of(job), time.monotonic() + timeout_s
        while not (now := await self._send(calls.job(job_id))).is_over:
            _report(now, progress)
            _reject_late(now, deadline)
            await asyncio.sleep(poll_s)
        return _ended(now, progress)

    async def versions(self) -> Versions:
        """As `Client.versions`."""
        return await self._send(calls.versions())

    async def info(self) -> Info:
        """As `Client.info`."""
        return await self._send(calls.info())

    async def ready(self) -> Readiness:
        """As `Client.ready`."""
        return await self._send(calls.ready())

    async def metrics(self) -> str:
        """As `Client.metrics`."""
        return await self._send(calls.metrics())


def _id_of(job: Job | str) -> str:
    return job if isinstance(job, str) else job.job_id


def _report(job: Job, progress: Progress | None) -> None:
    if progress:
        progress(job.done, job.total)


def _reject_late(job: Job, deadline: float) -> None:
    if time.monotonic() >= deadline:
        raise TimedOut(f"job {job.job_id} is still {job.state}: {job.done} of {job.total or '?'} done")


def _ended(job: Job, progress: Progress | None) -> Job:
    _report(job, progress)
    if job.state != "done":
        raise JobFailed(job)
    return job
