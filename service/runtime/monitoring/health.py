"""What is known of a process's health, and whether it may be called ready."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass
class Health:
    """The last results of the canary and of index updates; written by the monitor, read by `/readyz`.

    `answered_at`: monotonic seconds of the last right canary answer. `problem`: why the canary failed.
    `files_problem`: which files of the index are gone; `damage`: that some are not as they were built. `stopping`: the
    service was told to end, and answers what still comes. `update_problem`: why a published index version is not in
    service; `rejected_version`, `retry_at`: which, and when it is tried again. `published_version`: what the index's
    pointer names, whether or not it is in service.
    """

    stale_after_s: float
    answered_at: float | None = None
    files_problem: str | None = None
    damage: str | None = None
    stopping: bool = False
    problem: str | None = None
    update_problem: str | None = None
    rejected_version: str | None = None
    published_version: str | None = None
    retry_at: float = 0.0

    def right(self) -> None:
        """The canary was answered right."""
        self.answered_at, self.problem = time.monotonic(), None

    @property
    def checked_s_ago(self) -> float | None:
        """Seconds since the last right answer."""
        return None if self.answered_at is None else time.monotonic() - self.answered_at

    @property
    def trouble(self) -> str | None:
        """Why the service is not ready; None when it is."""
        if self.stopping:
            return "the service is stopping"
        if self.files_problem or self.damage:
            return self.files_problem or self.damage
        age = self.checked_s_ago
        if self.problem or age is None:
            return self.problem or "the canary sketch has not been answered yet"
        if age > self.stale_after_s:
            return f"the canary sketch was last answered {age:.0f} s ago: worker threads hang or are overloaded"
        return None
