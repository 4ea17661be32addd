"""When a call is sent again, and after how many seconds: pure decisions, no clock and no network."""

from __future__ import annotations

import email.utils
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from inkseek_client.errors import InkseekClientError, ServiceProblem, TryLater, Unreachable

_AT_GATEWAY = (502, 504)
# The work may have been done although its answer did not come: only what is idempotent is sent again.
_OUTCOME_UNKNOWN = ("deadline_exceeded",)


@dataclass(frozen=True)
class Retries:
    """Bounds of retries; `Retries(attempts=1)` never sends a call twice.

    `attempts`: of a call, the first included. `max_wait_s`: the longest single wait; where Retry-After asks for a
    longer one, the error is raised at once. `backoff_s`: mean of the first wait without Retry-After; it doubles.
    """

    attempts: int = 4
    max_wait_s: float = 30.0
    backoff_s: float = 0.25

    def __post_init__(self) -> None:
        """Raises ValueError when a bound makes no sense."""
        if self.attempts < 1 or self.max_wait_s < 0 or self.backoff_s < 0:
            raise ValueError("attempts is at least 1, max_wait_s and backoff_s are not negative")

    def wait_s(
        self,
        error: InkseekClientError,
        attempt: int,
        *,
        idempotent: bool,
        never_sent: bool = False,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> float | None:
        """Seconds until the next attempt; None: raise `error`.

        `attempt`: how many there were, from 1. `never_sent`: no connection was made. `uniform`: of [low, high]; the
        jitter that keeps clients from coming back together.
        """
        if attempt >= self.attempts or not self._may_repeat(error, idempotent, never_sent):
            return None
        asked_s = error.retry_after_s if isinstance(error, ServiceProblem) else None
        if asked_s is not None:
            return asked_s if asked_s <= self.max_wait_s else None
        return min(self.max_wait_s, uniform(0.0, 2 * self.backoff_s * 2 ** (attempt - 1)))

    def _may_repeat(self, error: InkseekClientError, idempotent: bool, never_sent: bool) -> bool:
        if isinstance(error, TryLater):
            return idempotent or error.code not in _OUTCOME_UNKNOWN
        if isinstance(error, ServiceProblem):
            return idempotent and error.status in _AT_GATEWAY
        return isinstance(error, Unreachable) and (idempotent or never_sent)


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """Seconds of a Retry-After header, a number or a date (RFC 9110, section 10.2.3); None without a valid one."""
    if header is None:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        at = email.utils.parsedate_to_datetime(header)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())
