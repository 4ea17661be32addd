"""Whoever makes a request: what is granted to them, in which galleries, how much of it in a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

Access: TypeAlias = Literal["search", "adapt", "write", "admin"]
"""search: sketches and the gallery; adapt: adapters; write: photos; admin: the service itself. None implies another."""

ALL_ACCESS: frozenset[Access] = frozenset(get_args(Access))


@dataclass(frozen=True, slots=True)
class Principal:
    """The one who makes a request: a name for logs, what it grants, and where.

    `galleries`: names of the galleries that it is bound to; None for all of them. `key_id`: of the API key that was
    sent; None for a request without one. `rate_limit`, `change_limit`: its own; None: those of the service.
    """

    name: str
    access: frozenset[Access]
    galleries: frozenset[str] | None = None
    key_id: str | None = None
    rate_limit: str | None = None
    change_limit: str | None = None

    def may_see(self, gallery: str) -> bool:
        """Whether the gallery of that name exists for it: one that it is not bound to does not."""
        return self.galleries is None or gallery in self.galleries


EVERYBODY = Principal("anonymous", ALL_ACCESS)
"""Of a service without keys: every request may do everything."""


def without_key(access: frozenset[Access]) -> Principal:
    """Of a service with keys: a request that brings none."""
    return Principal("anonymous", access)
