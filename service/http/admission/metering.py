"""Counts a request towards the limits of its key or address."""

from __future__ import annotations

from typing import cast

from fastapi import Request

from service.access.rate_limits import RateLimits, exceeded
from service.http.admission.auth import principal_of
from service.http.admission.usage import keep_usage
from service.runtime.process import Process


async def charge(request: Request, *, changes: bool, cost: int = 1) -> None:
    """Count the request as `cost` requests, and as changes if it is one. Raises RateLimited when it is one too many."""
    limits = cast(RateLimits, request.app.state.rate_limits)
    address = request.client.host if request.client else "local"  # a Unix socket has no addresses
    usages = await limits.charge(principal_of(request), address, changes=changes, cost=cost)
    if usages:
        keep_usage(request.scope, usages)
        if error := exceeded(usages):
            cast(Process, request.app.state.process).metrics.rejected.labels("rate_limited").inc()
            raise error
