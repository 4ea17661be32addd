"""Jobs in the database: queued with all that they need, taken by one process at a time, taken over when that dies.

An item is changed in the transaction that counts it as done, so a job that was killed goes on where it was.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from index_builder.artifact import PhotoNotFound
from models.errors import InkseekError
from service.errors import OnlineFull
from service.store import changes, photos
from service.store.clock import timestamp
from service.store.database import FILE, connect, transaction, used_bytes
from service.store.jobs.records import WAITING, Deletion, ItemChange, ItemProblem, JobItem, JobKind, JobRecord, JobState
from service.store.records import NewPhoto
from service.store.schema import schema_version

_KEPT = 100  # jobs that have ended
_PROBLEMS_SHOWN = 100
_STALE_S = 20.0  # a process that says nothing of its job for so long is taken for dead
_COLUMNS = "job_id, kind, state, stage, done, total, failed, detail, created_by, created_at, updated_at"


class JobStore:
    """The jobs of one gallery. Thread-safe; what another process changed is seen at once."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds the online store's database, or will."""
        self._folder = folder

    def add(
        self,
        kind: JobKind,
        items: Sequence[JobItem],
        created_by: str,
        max_bytes: int,
        check: Callable[[Sequence[JobRecord]], None],
        key_id: str | None = None,
    ) -> JobRecord:
        """Queue a job, on the disk with its items; `check` raises where those that wait leave no place for it.

        `key_id`: of the API key that it was queued with, which may read it and cancel it. Raises OnlineFull,
        OnlineUnwritable, OnlineCorrupt, and what `check` raises.
        """
        job_id, now = f"job-{uuid.uuid4().hex[:12]}", timestamp()
        with transaction(self._folder) as database:
            check([job for job in _listed(database) if job.state in WAITING])
            number = database.execute(
                "INSERT INTO jobs (job_id, kind, state, stage, done, total, failed, detail, created_by, created_at,"
                " updated_at, owner, alive_at, key_id) VALUES (?, ?, 'queued', '', 0, ?, 0, '', ?, ?, ?, '', 0, ?)",
                (job_id, kind, len(items) if kind == "photos" else None, created_by, now, now, key_id or ""),
            ).lastrowid
            database.executemany(
                "INSERT INTO job_items (job, position, item, image) VALUES (?, ?, ?, ?)",
                [(number, item.position, item.item, item.image) for item in items],
            )
            database.execute(
                "DELETE FROM jobs WHERE state NOT IN ('queued', 'running') AND number NOT IN"
                " (SELECT number FROM jobs ORDER BY number DESC LIMIT ?)",
                (_KEPT,),
            )
            if (used := used_bytes(database)) >= max_bytes:
                raise OnlineFull(f"{used:,} bytes of adapters, photos and jobs; {max_bytes:,} are the most")
            return _found(database, job_id)

    def every(self) -> list[JobRecord]:
        """All jobs that are kept, the newest first."""
        with self._reading() as database:
            return _listed(database) if database else []

    def get(self, job_id: str) -> JobRecord | None:
        """One job with its problems; None for an id that is not there."""
        with self._reading() as database:
            return _shown(database, job_id) if database else None

    def claim(self, owner: str) -> JobRecord | None:
        """Take the oldest job that waits, or whose process died; None where there is none, or one is under way."""
        with self._reading() as database:
            if database is None or _next(database) is None:
                return None  # nothing is written where nothing waits
        with transaction(self._folder) as database:
            job_id = _next(database)
            if job_id is None:
                return None
            _update(database, job_id, state="running", owner=owner, alive_at=time.time())
            return _found(database, job_id)

    def items(self, job_id: str, most: int) -> list[JobItem]:
        """The next items of a job that are not done."""
        with self._reading() as database:
            rows = () if database is None else database.execute(
                "SELECT position, item, image FROM job_items JOIN jobs ON job = number"
                " WHERE job_id = ? AND problem IS NULL ORDER BY position LIMIT ?",
                (job_id, most),
            )  # fmt: skip
            return [JobItem(row["position"], row["item"], row["image"]) for row in rows]

    def apply(
        self,
        job_id: str,
        outcomes: Sequence[ItemChange | ItemProblem],
        bundle_id: str,
        max_photos: int,
        max_bytes: int,
        problem_of: Callable[[ItemChange, InkseekError], ItemProblem],
        after: int = 0,
    ) -> JobRecord:
        """Change what the items say, each or not at all, and count them as done.

        A job that was cancelled meanwhile is left as it is, and nothing is changed. Raises OnlineUnwritable,
        OnlineCorrupt.
        """
        with transaction(self._folder) as database:
            if _found(database, job_id).state != "running":
                return _found(database, job_id)
            failed = 0
            for outcome in outcomes:
                problem = outcome if isinstance(outcome, ItemProblem) else None
                if isinstance(outcome, ItemChange):
                    try:
                        with _savepoint(database):
                            _apply(database, outcome, bundle_id, max_photos, after)
                            if isinstance(outcome.change, NewPhoto) and used_bytes(database) >= max_bytes:
                                raise OnlineFull(f"{max_bytes:,} bytes of adapters and photos are kept at most")
                    except InkseekError as error:
                        problem = problem_of(outcome, error)
                failed += problem is not None
                _end_item(database, job_id, outcome.position, problem)
            database.execute(
                "UPDATE jobs SET done = done + ?, failed = failed + ? WHERE job_id = ?", (len(outcomes), failed, job_id)
            )
            _update(database, job_id, alive_at=time.time())
            return _found(database, job_id)

    def progress(self, job_id: str, stage: str, done: int, total: int | None) -> JobRecord:
        """Say how far a job is, and that its process lives; the job, which may have been cancelled."""
        with transaction(self._folder) as database:
            if _found(database, job_id).state == "running":
                _update(database, job_id, stage=stage, done=done, total=total, alive_at=time.time())
            return _found(database, job_id)

    def end(self, job_id: str, state: JobState, detail: str) -> None:
        """Mark a job that was not cancelled, and drop what is left of its items but for problems; or queue it again."""
        with transaction(self._folder) as database:
            if _found(database, job_id).state == "running":
                _update(database, job_id, state=state, detail=detail, alive_at=0.0)
            if state != "queued":
                _drop_items(database, job_id)

    def cancel(self, job_id: str) -> JobRecord | None:
        """Cancel a job that waits or runs: what it has changed stays. The job before that; None: there is none."""
        with transaction(self._folder) as database:
            row = database.execute(f"{_select(database)} WHERE job_id = ?", (job_id,)).fetchone()
            if row is not None and row["state"] in WAITING:
                _update(database, job_id, state="cancelled", detail="cancelled; what was done before stays")
                _drop_items(database, job_id)
            return _record(row) if row else None

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        path = self._folder / FILE
        if not path.is_file():
            yield None
            return
        with closing(connect(path)) as database:
            yield database if schema_version(database) >= 2 else None


@contextmanager
def _savepoint(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("SAVEPOINT item")
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK TO item")
        raise
    finally:
        database.execute("RELEASE item")


def _apply(database: sqlite3.Connection, item: ItemChange, bundle_id: str, max_photos: int, after: int) -> None:
    change = item.change
    if isinstance(change, NewPhoto):
        photos.put_photo(database, change, bundle_id, max_photos, after)
        return
    uploaded = photos.is_stored(database, change.photo_id)
    if not uploaded and (not item.indexed or changes.is_deleted(database, change.photo_id)):
        raise PhotoNotFound(f"no photo {change.photo_id!r} in this gallery")
    if isinstance(change, Deletion):
        changes.delete(database, change.photo_id, after)
    elif not photos.describe_photo(database, change, after):
        changes.patch(database, change, after)


def _end_item(database: sqlite3.Connection, job_id: str, position: int, problem: ItemProblem | None) -> None:
    key = (job_id, position)
    of = "WHERE job = (SELECT number FROM jobs WHERE job_id = ?) AND position = ?"
    if problem is None:
        database.execute(f"DELETE FROM job_items {of}", key)
        return
    text = json.dumps([problem.photo_id, problem.code, problem.detail])
    database.execute(f"UPDATE job_items SET image = NULL, item = '', problem = ? {of}", (text, *key))


def _drop_items(database: sqlite3.Connection, job_id: str) -> None:
    database.execute(
        "DELETE FROM job_items WHERE problem IS NULL AND job = (SELECT number FROM jobs WHERE job_id = ?)", (job_id,)
    )


def _update(database: sqlite3.Connection, job_id: str, **values: str | int | float | None) -> None:
    # Names of this module alone go into the text; every value is bound.
    assignments = ", ".join(f"{name} = ?" for name in values)
    database.execute(
        f"UPDATE jobs SET {assignments}, updated_at = ? WHERE job_id = ?", (*values.values(), timestamp(), job_id)
    )


def _next(database: sqlite3.Connection) -> str | None:
    alive = database.execute(
        "SELECT 1 FROM jobs WHERE state = 'running' AND alive_at > ?", (time.time() - _STALE_S,)
    ).fetchone()
    if alive is not None:
        return None  # one at a time: the next may change what this one does
    row = database.execute("SELECT job_id FROM jobs WHERE state IN ('queued', 'running') ORDER BY number").fetchone()
    return str(row["job_id"]) if row else None


def _listed(database: sqlite3.Connection) -> list[JobRecord]:
    return [_record(row) for row in database.execute(f"{_select(database)} ORDER BY number DESC")]


def _shown(database: sqlite3.Connection, job_id: str) -> JobRecord | None:
    row = database.execute(f"{_select(database)} WHERE job_id = ?", (job_id,)).fetchone()
    if row is None:
        return None
    problems = database.execute(
        "SELECT position, problem FROM job_items JOIN jobs ON job = number"
        " WHERE job_id = ? AND problem IS NOT NULL ORDER BY position LIMIT ?",
        (job_id, _PROBLEMS_SHOWN),
    )
    return _record(row, tuple(ItemProblem(one["position"], *json.loads(one["problem"])) for one in problems))


def _found(database: sqlite3.Connection, job_id: str) -> JobRecord:
    row = database.execute(f"{_select(database)} WHERE job_id = ?", (job_id,)).fetchone()
    return _record(row)


def _select(database: sqlite3.Connection) -> str:
    # Reading changes no table, so the column may be missing until the first change.
    key_id = "key_id" if schema_version(database) >= 5 else "'' AS key_id"
    return f"SELECT {_COLUMNS}, {key_id} FROM jobs"


def _record(row: sqlite3.Row, problems: tuple[ItemProblem, ...] = ()) -> JobRecord:
    return JobRecord(**dict(row), problems=problems)
