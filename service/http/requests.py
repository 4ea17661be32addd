"""What routes ask for: the process's state, the request's body, and the query as the use case wants it.

Plain calls, not `Depends`: FastAPI takes longer to resolve three of those than the web server takes for the request.
"""

from __future__ import annotations

import asyncio
import unicodedata
from dataclasses import dataclass, replace
from typing import cast

from fastapi import Request

from service.config import Settings
from service.errors import BodyTimeout
from service.http.body import Upload
from service.http.schemas.search import NarrowingParams, SearchParams
from service.runtime.health import Watch
from service.runtime.metrics import Metrics
from service.runtime.serving import Serving
from service.runtime.workers import Teaching, Workers
from service.search.query import SearchQuery

_BODY_TIMEOUT_S = 60.0  # 10 MiB over a slow mobile network; a client that drips bytes is let go


@dataclass(frozen=True)
class Process:
    """Everything that lives as long as the process; made in the lifespan."""

    settings: Settings
    serving: Serving
    workers: Workers
    watch: Watch
    metrics: Metrics
    teaching: Teaching


def process_of(request: Request) -> Process:
    """The process's state."""
    return cast(Process, request.app.state.process)


async def read_upload(request: Request) -> Upload:
    """The whole body, in memory: its size is limited. Raises QueueFull, BodyTooLarge, BodyTimeout."""
    process_of(request).workers.refuse_when_full()
    try:
        async with asyncio.timeout(_BODY_TIMEOUT_S):
            body = await request.body()
    except TimeoutError as error:
        raise BodyTimeout(f"the request body did not arrive within {_BODY_TIMEOUT_S:g} s") from error
    return Upload(body, request.headers.get("content-type", ""))


def search_query(params: NarrowingParams) -> SearchQuery:
    """The query parameters as the use case wants them."""
    query = SearchQuery(params.k, tuple(params.category), tuple(params.filter), params.min_score, params.exact)
    if not isinstance(params, SearchParams):
        return query
    profile = None if params.profile is None else unicodedata.normalize("NFC", params.profile)
    return replace(query, adapt=params.adapt, profile=profile)
