"""The one seam between routes and the running process: what a request is served from, and the threads for its work.

Plain calls, not `Depends`: FastAPI takes longer to resolve three of those than the web server takes for the request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar, cast

from fastapi import Request
from starlette.requests import ClientDisconnect

from models.arrays import Vectors
from service.errors import ClientGone
from service.http.forms.body import Upload
from service.http.schemas.base import PhotoUrls
from service.http.tenancy import gallery_of, tenant_of
from service.runtime.process import Process
from service.runtime.serving import Borrowed
from service.search.query import SearchQuery
from service.search.results import SearchResult
from service.search.retriever import Retriever
from service.sketches.sketch import Sketch
from service.tracing.stages import stage

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

SHORT_BYTES = 65_536
"""Of a body that is read, and drawn, within some milliseconds, whatever it holds."""


def process_of(request: Request) -> Process:
    """The process's state."""
    return cast(Process, request.app.state.process)


def serving_of(request: Request) -> Borrowed:
    """The bundle, gallery and adapters that the request is served from; they stay open until the block is left."""
    return gallery_of(request).serving.borrow()


def urls_of(retriever: Retriever, base_path: str) -> PhotoUrls:
    """The URLs of the photos that it serves. `base_path`: what the paths of its gallery begin with."""
    return PhotoUrls(base_path, retriever.index.suffixed_ids)


class ThreadJobs:
    """Runs blocking jobs of one request in worker threads, each with the retriever in service at its turn."""

    def __init__(self, request: Request, *, aside: bool = False, behind: bool = False) -> None:
        """Nothing runs before it is called. `aside`: jobs take long, and must not keep searches from their turn.

        `behind`: they get the CPU time that searches leave, too.
        """
        self._request = request
        self._tenant = tenant_of(request)
        workers = process_of(request).workers
        self._run = workers.run_behind if behind else workers.run_aside if aside else workers.run

    async def __call__(self, job: Callable[[Retriever], T], /) -> T:
        """What `job` returns or raises; cancelled before its turn, it never runs."""

        def borrowed() -> T:
            with serving_of(self._request) as retriever:
                return job(retriever)

        return await self._run(borrowed, self._tenant)


class SketchJob(Generic[T_co]):
    """One sketch searched for, as an EncoderWork: read from the request, and rendered as the answer needs it."""

    def __init__(
        self,
        request: Request,
        query: SearchQuery,
        read: Callable[[Retriever], Sketch],
        render: Callable[[Retriever, SearchResult], T_co],
        *,
        body_bytes: int | None = None,
    ) -> None:
        """`read` and `render` may be called in a worker thread. `body_bytes`: that `read` looks at; None: unknown."""
        self._request = request
        self._query = query
        self._read = read
        self._render = render
        self._body_bytes = body_bytes
        self._borrowed: Borrowed | None = None

    @property
    def is_short(self) -> bool:
        """Whether the body is small, the search one over everything, and the gallery in memory."""
        is_small = self._body_bytes is not None and self._body_bytes <= SHORT_BYTES
        return is_small and self._query.is_plain and gallery_of(self._request).serving.is_at_hand

    def begin(self) -> Vectors | None:
        """The sketch's input for the encoder; None for one that a child process decodes, which may take a second."""
        borrowed = serving_of(self._request)
        self._retriever = borrowed.__enter__()
        self._borrowed = borrowed  # until `end`
        self._sketch = self._read(self._retriever)
        if not self._retriever.decoder.is_quick(self._sketch):
            return None
        self._begun = self._retriever.begin(self._sketch, self._query)
        return self._begun.inputs

    def encode(self, inputs: Vectors, *, is_alone: bool) -> Vectors:
        """By the process's one bundle."""
        return self._retriever.bundle.sketch.encode(inputs, is_alone=is_alone)

    def finish(self, embeddings: Vectors, encode_ms: float) -> T_co:
        """Search and render."""
        result = self._retriever.finish(self._begun, embeddings, encode_ms)
        process_of(self._request).shadow.offer(gallery_of(self._request).serving, self._begun, embeddings)
        return self._rendered(result)

    def whole(self) -> T_co:
        """The same in one go."""
        return self._rendered(self._retriever.search(self._sketch, self._query))

    def end(self) -> None:
        """Give the retriever back."""
        borrowed, self._borrowed = self._borrowed, None
        if borrowed is not None:
            borrowed.__exit__(None)

    def _rendered(self, result: SearchResult) -> T_co:
        with stage("render"):
            return self._render(self._retriever, result)


async def answer_sketch(request: Request, job: SketchJob[T]) -> T:
    """A search as the whole work of a request; raises as `answer_work`."""
    workers, tenant = process_of(request).workers, tenant_of(request)
    with workers.admission(tenant):
        return await workers.answer(workers.encode(job, tenant), request.receive)


async def answer_job(request: Request, job: Callable[[Retriever], T], *, aside: bool = False) -> T:
    """One job in a worker thread as the whole work of a request; raises as `answer_work`."""
    return await answer_work(request, lambda: ThreadJobs(request, aside=aside)(job))


async def answer_change(request: Request, job: Callable[[Retriever], T]) -> T:
    """A change of the gallery, in a slot of its own and in a thread that stands back; raises as `answer_work`."""
    with process_of(request).changes.admission(tenant_of(request)):
        return await answer_work(request, lambda: ThreadJobs(request, behind=True)(job))


async def answer_short(request: Request, job: Callable[[Retriever], T], *, is_short: bool) -> T:
    """The same for a job of a millisecond, which a process with one thread does on its event loop: see `LoopLane`.

    `is_short`: whether it is one, as long as the gallery is in memory.
    """
    workers = process_of(request).workers
    if not (is_short and workers.on_loop and gallery_of(request).serving.is_at_hand):
        return await answer_job(request, job)
    with workers.admission(tenant_of(request)), serving_of(request) as retriever:
        return job(retriever)


async def answer_work(request: Request, work: Callable[[], Awaitable[T]]) -> T:
    """What the awaited `work()` results in; the request's body has to be read before.

    Raises QueueFull, DeadlineExceeded, ClientGone, and what the work raises.
    """
    workers = process_of(request).workers
    # `work` is called only once admitted: a coroutine that was made and never awaited would warn.
    with workers.admission(tenant_of(request)):
        return await workers.answer(work(), request.receive)


async def read_change(request: Request) -> Upload:
    """The body of a change, unless as many are being made as may be; raises as `read_upload`."""
    process_of(request).changes.reject_when_full(tenant_of(request))
    return await read_upload(request)


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
