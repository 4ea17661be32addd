"""Galleries that could not be opened: why, and when the next attempt is due."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass

from index_builder.artifact import BundleMismatch, IndexCorrupt, IndexNotFound, IndexSchemaUnsupported, StoreUnavailable
from service.errors import GalleryUnavailable, OnlineCorrupt, OnlineSchemaUnsupported, QuotasInvalid

_log = logging.getLogger("inkseek.service")

_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0  # a gallery that was built anew is back within a minute

_REASONS: dict[type[Exception], str] = {
    IndexSchemaUnsupported: "its index was written by another release: build it anew",
    IndexNotFound: "the index version that it names is not there",
    IndexCorrupt: "a file of its index is missing or damaged: build it anew, or roll it back",
    OnlineSchemaUnsupported: "its online store was written by another release",  # an OnlineCorrupt, so before that
    OnlineCorrupt: "its online store cannot be read",
    StoreUnavailable: "the photos' vectors are not available",
    QuotasInvalid: "its quotas cannot be read",
}


@dataclass(frozen=True)
class _Failure:
    reason: str
    wait_s: float
    retry_at: float


class Failures:
    """The last failure of each gallery; it doubles the wait before the next attempt. Only galleries that exist."""

    def __init__(self) -> None:
        """None so far."""
        self._by_name: dict[str, _Failure] = {}

    @property
    def reasons(self) -> dict[str, str]:
        """Why each of them is unavailable, by name."""
        return {name: failure.reason for name, failure in self._by_name.items()}

    def check(self, name: str) -> None:
        """Raises GalleryUnavailable while it is too early to try again."""
        failure = self._by_name.get(name)
        if failure is not None and time.monotonic() < failure.retry_at:
            raise _unavailable(name, failure)

    def record(self, name: str, error: Exception) -> GalleryUnavailable:
        """Keep why a gallery did not open; returns what its requests are answered."""
        before = self._by_name.get(name)
        wait_s = min(before.wait_s * 2, _LONGEST_WAIT_S) if before else _FIRST_WAIT_S
        failure = _Failure(reason_of(error), wait_s, time.monotonic() + wait_s)
        if before is None or before.reason != failure.reason:
            _log.error("gallery %s cannot be opened: %s", name, error)
        self._by_name[name] = failure
        return _unavailable(name, failure)

    def forget(self, name: str) -> None:
        """It opened, or is gone."""
        self._by_name.pop(name, None)


def reason_of(error: Exception) -> str:
    """What clients are told, without paths of the server; the log has the error itself."""
    if isinstance(error, BundleMismatch):
        return f"its index was built by bundle {error.actual}, and {error.expected} is served: build it anew with that"
    reasons = (reason for kind, reason in _REASONS.items() if isinstance(error, kind))
    return next(reasons, "it cannot be opened; the service's log says why")


def _unavailable(name: str, failure: _Failure) -> GalleryUnavailable:
    wait_s = max(1, math.ceil(failure.retry_at - time.monotonic()))
    return GalleryUnavailable(f"the gallery {name!r} is not available: {failure.reason}", wait_s)
