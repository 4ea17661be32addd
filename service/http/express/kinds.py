"""The searches that a connection may answer itself: of a drawing, and of a vector that the client has made of one."""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from fastapi import Request

from service.http.forms.body import Upload
from service.http.forms.vector_body import read_vectors
from service.http.query_params import QueryReader
from service.http.routes.search import search_job
from service.http.routes.vector_search import vector_job
from service.http.schemas.search import SearchParams, VectorParams
from service.http.serving import serving_of
from service.runtime.process import Process


@dataclass(frozen=True, slots=True)
class PlainSearch:
    """One that was read. `profile`: the one that it names; `start`: begins it for a tenant, once it has its place."""

    profile: str | None
    start: Callable[[Request, str | None], Future[bytes]]


class SearchKind(Protocol):
    """A route whose requests may be plain searches."""

    route: str

    def read(self, process: Process, query: bytes, upload: Upload) -> PlainSearch | None:
        """None where it is not plain. Raises RequestValidationError and the errors of its body."""


class OfDrawing:
    """Encoded in its turn, maybe together with others."""

    route = "/v1/search"

    def __init__(self) -> None:
        """Reads queries as the route does."""
        self._params = QueryReader(SearchParams)

    def read(self, process: Process, query: bytes, upload: Upload) -> PlainSearch | None:
        """What the upload holds is read in its turn; see `SearchKind`."""
        params = self._params.read(query)

        def start(request: Request, tenant: str | None) -> Future[bytes]:
            return process.workers.encode(search_job(request, upload, params), tenant)

        return PlainSearch(params.profile, start)


class OfVector:
    """Answered on the event loop at once, in a process that does short work there."""

    route = "/v1/search:vector"

    def __init__(self) -> None:
        """Reads queries as the route does."""
        self._params = QueryReader(VectorParams)

    def read(self, process: Process, query: bytes, upload: Upload) -> PlainSearch | None:
        """A search over everything with the gallery in memory is plain; see `SearchKind`."""
        if not (process.workers.on_loop and process.galleries.default.serving.is_at_hand):
            return None
        sent, params = read_vectors(upload, self._params.read(query))
        if not params.to_query().is_plain:
            return None

        def start(request: Request, tenant: str | None) -> Future[bytes]:
            future: Future[bytes] = asyncio.get_running_loop().create_future()
            try:
                with serving_of(request) as retriever:
                    future.set_result(vector_job(request, sent, params)(retriever))
            except Exception as error:  # it is answered as any other search's
                future.set_exception(error)
            return future

        return PlainSearch(params.profile, start)
