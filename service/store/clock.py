"""The time as the database and the API write it."""

from __future__ import annotations

from datetime import UTC, datetime


def timestamp() -> str:
    """Now, in UTC to the second, as 2026-11-20T13:05:41Z."""
    return datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
