"""What is left of a request's limits, as it travels from where it is counted to the headers of the answer."""

from __future__ import annotations

from starlette.types import Scope

from service.access.rate_limits import Usage

_USAGE = "inkseek.usage"


def keep_usage(scope: Scope, usages: tuple[Usage, ...]) -> None:
    """Leave what is left of each window with the request."""
    scope[_USAGE] = usages


def usage_headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    """`RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10); none where there is no limit."""
    usages: tuple[Usage, ...] = scope.get(_USAGE, ())
    if not usages:
        return []
    policies = ", ".join(f'"{_name(usage)}";q={usage.quota};w={usage.window_s}' for usage in usages)
    left = ", ".join(f'"{_name(usage)}";r={usage.remaining};t={usage.reset_s}' for usage in usages)
    return [(b"ratelimit-policy", policies.encode()), (b"ratelimit", left.encode())]


def _name(usage: Usage) -> str:
    return f"{usage.policy}-{usage.window_s}s"  # a policy with several windows has an item for each
