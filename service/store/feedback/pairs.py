"""Feedback in the database: sketches with the photo that somebody said was the right one, oldest dropped first.

It lies in online.sqlite, in the same transactions as everything else there. Nothing is fitted to it by itself.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from service.errors import FeedbackNotFound, OnlineFull, OnlineTargetsLimit
from service.store.clock import timestamp
from service.store.database import FILE, connect, transaction, used_bytes
from service.store.schema import schema_version

_SINCE = 3  # the schema version that has the table


@dataclass(frozen=True, slots=True)
class FeedbackLimits:
    """Most pairs of one category, of which the oldest go first; most categories that have any; bytes of everything."""

    max_pairs: int = 64
    max_categories: int = 1_000
    max_bytes: int = 4 * 2**30


@dataclass(frozen=True, slots=True)
class FeedbackRecord:
    """One pair, without its sketch."""

    feedback_id: str
    category: str
    photo_id: str
    created_at: str


class FeedbackStore:
    """The feedback in an online folder. Each call opens the database anew; a folder without one has none."""

    def __init__(self, folder: Path, limits: FeedbackLimits | None = None) -> None:
        """Nothing is opened before the first call."""
        self._folder = folder
        self._limits = limits or FeedbackLimits()

    def add(self, category: str, photo_id: str, sketch: bytes) -> FeedbackRecord:
        """Keep a pair; the same sketch of the category said again takes the place of the first.

        Raises OnlineTargetsLimit, OnlineFull, OnlineUnwritable, OnlineCorrupt.
        """
        record = FeedbackRecord(f"feedback-{uuid.uuid4().hex[:12]}", category, photo_id, timestamp())
        with transaction(self._folder) as database:
            used = used_bytes(database)
            if used >= self._limits.max_bytes:
                raise OnlineFull(f"{used:,} bytes are kept; {self._limits.max_bytes:,} are the most")
            database.execute("DELETE FROM feedback WHERE category = ? AND sketch = ?", (category, sketch))
            known = {row["category"] for row in database.execute("SELECT DISTINCT category FROM feedback")}
            if category not in known and len(known) >= self._limits.max_categories:
                raise OnlineTargetsLimit(f"{len(known):,} categories have feedback, as many as may: delete some")
            database.execute(
                "INSERT INTO feedback (feedback_id, category, photo_id, sketch, created_at) VALUES (?, ?, ?, ?, ?)",
                (record.feedback_id, category, photo_id, sketch, record.created_at),
            )
            database.execute(
                "DELETE FROM feedback WHERE category = ? AND number NOT IN"
                " (SELECT number FROM feedback WHERE category = ? ORDER BY number DESC LIMIT ?)",
                (category, category, self._limits.max_pairs),
            )
        return record

    def records(self, category: str | None = None) -> list[FeedbackRecord]:
        """The pairs of one category, or all; the newest first. Raises OnlineCorrupt, OnlineUnreadable."""
        where, values = ("", ()) if category is None else ("WHERE category = ?", (category,))
        query = f"SELECT feedback_id, category, photo_id, created_at FROM feedback {where} ORDER BY number DESC"
        with self._reading() as database:
            rows = database.execute(query, values).fetchall() if database is not None else []
        return [FeedbackRecord(*row) for row in rows]

    def pairs(self, category: str) -> list[tuple[bytes, str]]:
        """(sketch, photo id) of a category's pairs, the newest first. Raises OnlineCorrupt, OnlineUnreadable."""
        query = "SELECT sketch, photo_id FROM feedback WHERE category = ? ORDER BY number DESC"
        with self._reading() as database:
            rows = database.execute(query, (category,)).fetchall() if database is not None else []
        return [(bytes(row["sketch"]), str(row["photo_id"])) for row in rows]

    def delete(self, feedback_id: str) -> None:
        """Raises FeedbackNotFound, OnlineUnwritable, OnlineCorrupt."""
        if not any(record.feedback_id == feedback_id for record in self.records()):
            raise FeedbackNotFound(f"there is no feedback {feedback_id!r}")
        with transaction(self._folder) as database:
            database.execute("DELETE FROM feedback WHERE feedback_id = ?", (feedback_id,))

    def clear(self, category: str | None = None) -> int:
        """Delete a category's pairs, or all; returns how many. Raises OnlineUnwritable, OnlineCorrupt."""
        if not self.records(category):
            return 0
        where, values = ("", ()) if category is None else ("WHERE category = ?", (category,))
        with transaction(self._folder) as database:
            return database.execute(f"DELETE FROM feedback {where}", values).rowcount

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """The database, or None where it has no feedback yet."""
        path = self._folder / FILE
        if not path.is_file():
            yield None
            return
        with closing(connect(path)) as database:
            yield database if schema_version(database) >= _SINCE else None
