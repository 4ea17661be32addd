"""The one seam between routes and the running process: what a request is served from, and the threads for its work.

Plain calls, not `Depends`: FastAPI takes longer to resolve three of those than the web server takes for the request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

from fastapi import Request
from starlette.requests import ClientDisconnect

from service.errors import ClientGone
from service.http.forms.body import Upload
from service.http.tenancy import gallery_of, tenant_of
from service.runtime.process import Process
from service.search.retriever import Retriever

T = TypeVar("T")


def process_of(request: Request) -> Process:
    """The process's state."""
    return cast(Process, request.app.state.process)


@contextmanager
def serving_of(request: Request) -> Iterator[Retriever]:
    """The bundle, gallery and adapters that the request is served from; they stay open until the block is left."""
    with gallery_of(request).serving.borrow() as retriever:
        yield retriever


class ThreadJobs:
    """Runs blocking jobs of one request in worker threads, each with the retriever in service at its turn."""

    def __init__(self, request: Request) -> None:
        """Nothing runs before it is called."""
        self._request = request
        self._workers = process_of(request).workers
        self._tenant = tenant_of(request)

    async def __call__(self, job: Callable[[Retriever], T], /) -> T:
        """What `job` returns or raises; cancelled before its turn, it never runs."""

        def borrowed() -> T:
            with serving_of(self._request) as retriever:
                return job(retriever)

        return await self._workers.run(borrowed, self._tenant)


async def answer_job(request: Request, job: Callable[[Retriever], T]) -> T:
    """One job in a worker thread as the whole work of a request; raises as `answer_work`."""
    return await answer_work(request, lambda: ThreadJobs(request)(job))


async def answer_work(request: Request, work: Callable[[], Awaitable[T]]) -> T:
    """What the awaited `work()` results in; the request's body has to be read before.

    Raises QueueFull, DeadlineExceeded, ClientGone, and what the work raises.
    """
    workers = process_of(request).workers
    # `work` is called only once admitted: a coroutine that was made and never awaited would warn.
    with workers.admission(tenant_of(request)):
        return await workers.answer(work(), request.receive)


async def read_upload(request: Request) -> Upload:
    """The whole body, in memory: its size and time are limited by `RequestBody`.

    Raises QueueFull, BodyTooLarge, BodyTimeout, BodiesTooLarge, ClientGone.
    """
    process_of(request).workers.reject_when_full(tenant_of(request))
    try:
        body = await request.body()
    except ClientDisconnect as error:
        raise ClientGone("the client closed the connection before its whole body was there") from error
    return Upload(body, request.headers.get("content-type", ""))
