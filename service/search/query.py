"""What is asked beside the sketch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What is asked beside the sketch. `filters`: conditions as text, all of which must hold.

    `adapt`: through the adapters that were fitted, where there are any. `profile`: whose hand drew it.
    """

    k: int = 10
    categories: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    min_score: float | None = None
    exact: bool = False
    adapt: bool = True
    profile: str | None = None
