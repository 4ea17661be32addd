"""Heads in the database: added, looked up, made live, rolled back, deleted. Each call is part of a transaction.

What is live is the last of the `activations` among heads of the bundle in service: so another bundle, and that bundle
again, find their own heads as they left them, and a rollback takes the last activation away.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from datetime import UTC, datetime
from typing import Any

from service.errors import HeadNotFound, HeadsLimit, HeadStale, NothingToRollBack
from service.store.arrays import head_bytes, vector_bytes, vector_from_bytes
from service.store.records import HeadName, HeadRecord, NewHead, Scope, State, SupportPair

_COLUMNS = (
    "head_id, scope, name, version, bundle_id, adaptation_id, method, k, margin, leave_one_out, went_live, reason,"
    " created_at, photos_added, timings_ms"
)
_LIVE = (
    "SELECT heads.number, heads.head_id FROM activations JOIN heads ON heads.number = activations.head"
    " WHERE scope = ? AND name = ? AND bundle_id = ? ORDER BY sequence DESC"
)


def now() -> str:
    """The time, as the database and the API write it."""
    return datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def add_head(database: sqlite3.Connection, new: NewHead, max_heads: int) -> str:
    """Store the head with its support, live when it is to be; returns its id. Raises HeadsLimit."""
    taken, latest = database.execute(
        "SELECT count(*) FILTER (WHERE bundle_id = ?), coalesce(max(version), 0) FROM heads"
        " WHERE scope = ? AND name = ?",
        (new.bundle_id, *new.target),
    ).fetchone()
    if taken >= max_heads:
        raise HeadsLimit(f"{new.target} has {taken} heads, which is as many as may be kept: delete one first")
    head_id = f"head-{uuid.uuid4().hex[:12]}"
    cursor = database.execute(
        f"INSERT INTO heads ({_COLUMNS}, arrays) VALUES ({', '.join('?' * 16)})",
        (
            head_id, *new.target, latest + 1, new.bundle_id, new.adaptation_id, new.method, len(new.support),
            new.margin, json.dumps(leave_one_out_document(new)), new.goes_live, new.reason, now(),
            json.dumps([added.photo.photo_id for added in new.photos]), json.dumps(dict(new.timings_ms)),
            head_bytes(new.head),
        ),
    )  # fmt: skip
    number = cursor.lastrowid
    database.executemany(
        "INSERT INTO support VALUES (?, ?, ?, ?, ?)",
        [(number, n, pair.sketch, vector_bytes(pair.vector), pair.photo_id) for n, pair in enumerate(new.support)],
    )
    if new.goes_live:
        database.execute("INSERT INTO activations (head) VALUES (?)", (number,))
    return head_id


def leave_one_out_document(new: NewHead) -> dict[str, Any]:
    """As head_schemas.LeaveOneOutFigures."""
    return {
        side: {"acc_at_1": ranks.acc_at_1, "mean_rank": ranks.mean_rank, "mrr": ranks.mrr}
        for side, ranks in (("before", new.leave_one_out.before), ("after", new.leave_one_out.after))
    }


def list_heads(database: sqlite3.Connection, bundle_id: str, target: HeadName | None = None) -> list[HeadRecord]:
    """The heads of one target, or all; the newest first. `bundle_id`: the one in service."""
    where, values = ("WHERE scope = ? AND name = ?", tuple(target)) if target else ("", ())
    rows = database.execute(f"SELECT {_COLUMNS} FROM heads {where} ORDER BY number DESC", values).fetchall()
    live = {target: live_head(database, target, bundle_id) for target in {HeadName(*row[1:3]) for row in rows}}
    return [_record(row, bundle_id, live[HeadName(*row[1:3])]) for row in rows]


def get_head(database: sqlite3.Connection, bundle_id: str, target: HeadName, head_id: str) -> HeadRecord:
    """Raises HeadNotFound."""
    row = database.execute(
        f"SELECT {_COLUMNS} FROM heads WHERE scope = ? AND name = ? AND head_id = ?", (*target, head_id)
    ).fetchone()
    if row is None:
        raise HeadNotFound(f"{target} has no head {head_id!r}")
    return _record(row, bundle_id, live_head(database, target, bundle_id))


def live_head(database: sqlite3.Connection, target: HeadName, bundle_id: str) -> str | None:
    """Id of the head in service."""
    row = database.execute(f"{_LIVE} LIMIT 1", (*target, bundle_id)).fetchone()
    return row[1] if row else None


def activate(database: sqlite3.Connection, bundle_id: str, target: HeadName, head_id: str) -> None:
    """Put a stored head into service. Raises HeadNotFound, HeadStale."""
    head = get_head(database, bundle_id, target, head_id)
    if head.state == "stale":
        raise HeadStale(
            f"head {head_id} was fitted for bundle {head.bundle_id}, and {bundle_id} is served: "
            "`inkseek heads refit` makes it anew"
        )
    if head.state != "live":
        database.execute("INSERT INTO activations (head) SELECT number FROM heads WHERE head_id = ?", (head_id,))


def roll_back(database: sqlite3.Connection, bundle_id: str, target: HeadName) -> str | None:
    """Serve what was live before, None for no fitted head at all. Raises NothingToRollBack."""
    live = live_head(database, target, bundle_id)
    if live is None:
        raise NothingToRollBack(f"{target} has no live head")
    # All on top that say the same: a head may lie there twice when the one between them was deleted.
    while live_head(database, target, bundle_id) == live:
        database.execute(
            "DELETE FROM activations WHERE sequence = (SELECT max(sequence) FROM activations JOIN heads"
            " ON heads.number = activations.head WHERE scope = ? AND name = ? AND bundle_id = ?)",
            (*target, bundle_id),
        )
    return live_head(database, target, bundle_id)


def delete_head(database: sqlite3.Connection, bundle_id: str, target: HeadName, head_id: str) -> None:
    """Remove a head and its support; was it live, the one before it serves again. Raises HeadNotFound."""
    get_head(database, bundle_id, target, head_id)
    database.execute("DELETE FROM heads WHERE head_id = ?", (head_id,))


def support_of(database: sqlite3.Connection, head_id: str) -> list[SupportPair]:
    """The examples of a head, in the order sent."""
    rows = database.execute(
        "SELECT sketch, sketch_vector, photo_id FROM support JOIN heads ON heads.number = support.head"
        " WHERE head_id = ? ORDER BY place",
        (head_id,),
    )
    return [SupportPair(sketch, vector_from_bytes(vector), photo_id) for sketch, vector, photo_id in rows]


def live_heads(database: sqlite3.Connection, bundle_id: str) -> dict[HeadName, str]:
    """Ids of the heads in service."""
    rows = database.execute(
        "SELECT scope, name, head_id FROM heads WHERE number IN"
        " (SELECT (SELECT head FROM activations JOIN heads AS own ON own.number = head WHERE own.bundle_id = ?"
        " AND own.scope = target.scope AND own.name = target.name ORDER BY sequence DESC LIMIT 1)"
        " FROM (SELECT DISTINCT scope, name FROM heads) AS target)",
        (bundle_id,),
    )
    return {HeadName(scope, name): head_id for scope, name, head_id in rows}


def arrays_of(database: sqlite3.Connection, head_id: str) -> bytes | None:
    """A head's numbers."""
    row = database.execute("SELECT arrays FROM heads WHERE head_id = ?", (head_id,)).fetchone()
    return bytes(row[0]) if row else None


def outdated(database: sqlite3.Connection, bundle_id: str) -> list[HeadRecord]:
    """Of each target that no head of this bundle was ever made for, the one that was live last with another bundle."""
    rows = database.execute(
        f"SELECT {_COLUMNS} FROM heads WHERE number IN (SELECT head FROM activations WHERE sequence IN"
        " (SELECT max(sequence) FROM activations JOIN heads ON heads.number = activations.head GROUP BY scope, name))"
        " AND NOT EXISTS (SELECT 1 FROM heads AS own WHERE own.scope = heads.scope AND own.name = heads.name"
        " AND own.bundle_id = ?) ORDER BY number",
        (bundle_id,),
    ).fetchall()
    return [_record(row, bundle_id, None) for row in rows]


def _record(row: tuple[Any, ...], bundle_id: str, live: str | None) -> HeadRecord:
    scope: Scope = row[1]
    state: State = "stale" if row[4] != bundle_id else "live" if row[0] == live else "idle"
    return HeadRecord(
        head_id=row[0],
        target=HeadName(scope, row[2]),
        version=row[3],
        bundle_id=row[4],
        adaptation_id=row[5],
        method=row[6],
        k=row[7],
        margin=row[8],
        leave_one_out=json.loads(row[9]),
        went_live=bool(row[10]),
        reason=row[11],
        created_at=row[12],
        photos_added=tuple(json.loads(row[13])),
        timings_ms=json.loads(row[14]),
        state=state,
    )
