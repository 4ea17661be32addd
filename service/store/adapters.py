"""Adapters in the database: added, looked up, activated, rolled back, deleted. Each call is part of a transaction.

The active adapter is the last of the `activations` among adapters of the bundle in service: so another bundle, and that
bundle again, find their own adapters as they left them, and a rollback takes the last activation away.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from datetime import UTC, datetime
from typing import Any

from service.errors import AdapterNotFound, AdaptersLimit, AdapterStale, NothingToRollBack
from service.store.arrays import adapter_bytes, vector_bytes, vector_from_bytes
from service.store.records import AdapterRecord, AdapterTarget, NewAdapter, Scope, State, SupportPair

_COLUMNS = (
    "adapter_id, scope, name, version, bundle_id, adaptation_id, method, k, margin, leave_one_out, activated, reason,"
    " created_at, photos_added, timings_ms"
)
_ACTIVE = (
    "SELECT adapters.number, adapters.adapter_id FROM activations"
    " JOIN adapters ON adapters.number = activations.adapter"
    " WHERE scope = ? AND name = ? AND bundle_id = ? ORDER BY sequence DESC"
)


def now() -> str:
    """The time, as the database and the API write it."""
    return datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def add_adapter(database: sqlite3.Connection, new: NewAdapter, max_adapters: int) -> str:
    """Store the adapter with its support, active when it is to be; returns its id. Raises AdaptersLimit."""
    taken, latest = database.execute(
        "SELECT count(*) FILTER (WHERE bundle_id = ?), coalesce(max(version), 0) FROM adapters"
        " WHERE scope = ? AND name = ?",
        (new.bundle_id, *new.target),
    ).fetchone()
    if taken >= max_adapters:
        raise AdaptersLimit(f"{new.target} has {taken} adapters, which is as many as may be kept: delete one first")
    adapter_id = f"adapter-{uuid.uuid4().hex[:12]}"
    cursor = database.execute(
        f"INSERT INTO adapters ({_COLUMNS}, arrays) VALUES ({', '.join('?' * 16)})",
        (
            adapter_id, *new.target, latest + 1, new.bundle_id, new.adaptation_id, new.method, len(new.support),
            new.margin, json.dumps(leave_one_out_document(new)), new.activate, new.reason, now(),
            json.dumps([added.photo.photo_id for added in new.photos]), json.dumps(dict(new.timings_ms)),
            adapter_bytes(new.adapter),
        ),
    )  # fmt: skip
    number = cursor.lastrowid
    database.executemany(
        "INSERT INTO support VALUES (?, ?, ?, ?, ?)",
        [(number, n, pair.sketch, vector_bytes(pair.vector), pair.photo_id) for n, pair in enumerate(new.support)],
    )
    if new.activate:
        database.execute("INSERT INTO activations (adapter) VALUES (?)", (number,))
    return adapter_id


def leave_one_out_document(new: NewAdapter) -> dict[str, Any]:
    """As adapter_schemas.LeaveOneOutFigures."""
    return {
        side: {"acc_at_1": ranks.acc_at_1, "mean_rank": ranks.mean_rank, "mrr": ranks.mrr}
        for side, ranks in (("before", new.leave_one_out.before), ("after", new.leave_one_out.after))
    }


def list_adapters(
    database: sqlite3.Connection, bundle_id: str, target: AdapterTarget | None = None
) -> list[AdapterRecord]:
    """The adapters of one target, or all; the newest first. `bundle_id`: the one in service."""
    where, values = ("WHERE scope = ? AND name = ?", tuple(target)) if target else ("", ())
    rows = database.execute(f"SELECT {_COLUMNS} FROM adapters {where} ORDER BY number DESC", values).fetchall()
    active = {
        target: active_adapter(database, target, bundle_id) for target in {AdapterTarget(*row[1:3]) for row in rows}
    }
    return [_record(row, bundle_id, active[AdapterTarget(*row[1:3])]) for row in rows]


def get_adapter(database: sqlite3.Connection, bundle_id: str, target: AdapterTarget, adapter_id: str) -> AdapterRecord:
    """Raises AdapterNotFound."""
    row = database.execute(
        f"SELECT {_COLUMNS} FROM adapters WHERE scope = ? AND name = ? AND adapter_id = ?", (*target, adapter_id)
    ).fetchone()
    if row is None:
        raise AdapterNotFound(f"{target} has no adapter {adapter_id!r}")
    return _record(row, bundle_id, active_adapter(database, target, bundle_id))


def active_adapter(database: sqlite3.Connection, target: AdapterTarget, bundle_id: str) -> str | None:
    """Id of the adapter in service."""
    row = database.execute(f"{_ACTIVE} LIMIT 1", (*target, bundle_id)).fetchone()
    return row[1] if row else None


def activate(database: sqlite3.Connection, bundle_id: str, target: AdapterTarget, adapter_id: str) -> None:
    """Put a stored adapter into service. Raises AdapterNotFound, AdapterStale."""
    adapter = get_adapter(database, bundle_id, target, adapter_id)
    if adapter.state == "stale":
        raise AdapterStale(
            f"adapter {adapter_id} was fitted for bundle {adapter.bundle_id}, and {bundle_id} is served: "
            "`inkseek adapters refit` makes it anew"
        )
    if adapter.state != "active":
        database.execute(
            "INSERT INTO activations (adapter) SELECT number FROM adapters WHERE adapter_id = ?", (adapter_id,)
        )


def roll_back(database: sqlite3.Connection, bundle_id: str, target: AdapterTarget) -> str | None:
    """Serve what was active before, None for no fitted adapter at all. Raises NothingToRollBack."""
    active = active_adapter(database, target, bundle_id)
    if active is None:
        raise NothingToRollBack(f"{target} has no active adapter")
    # All on top that say the same: an adapter may lie there twice when the one between them was deleted.
    while active_adapter(database, target, bundle_id) == active:
        database.execute(
            "DELETE FROM activations WHERE sequence = (SELECT max(sequence) FROM activations JOIN adapters"
            " ON adapters.number = activations.adapter WHERE scope = ? AND name = ? AND bundle_id = ?)",
            (*target, bundle_id),
        )
    return active_adapter(database, target, bundle_id)


def delete_adapter(database: sqlite3.Connection, bundle_id: str, target: AdapterTarget, adapter_id: str) -> None:
    """Remove an adapter and its support; was it active, the one before it serves again. Raises AdapterNotFound."""
    get_adapter(database, bundle_id, target, adapter_id)
    database.execute("DELETE FROM adapters WHERE adapter_id = ?", (adapter_id,))


def support_of(database: sqlite3.Connection, adapter_id: str) -> list[SupportPair]:
    """The examples of an adapter, in the order sent."""
    rows = database.execute(
        "SELECT sketch, sketch_vector, photo_id FROM support JOIN adapters ON adapters.number = support.adapter"
        " WHERE adapter_id = ? ORDER BY place",
        (adapter_id,),
    )
    return [SupportPair(sketch, vector_from_bytes(vector), photo_id) for sketch, vector, photo_id in rows]


def active_adapters(database: sqlite3.Connection, bundle_id: str) -> dict[AdapterTarget, str]:
    """Ids of the adapters in service."""
    rows = database.execute(
        "SELECT scope, name, adapter_id FROM adapters WHERE number IN"
        " (SELECT (SELECT adapter FROM activations JOIN adapters AS own ON own.number = adapter WHERE own.bundle_id = ?"
        " AND own.scope = target.scope AND own.name = target.name ORDER BY sequence DESC LIMIT 1)"
        " FROM (SELECT DISTINCT scope, name FROM adapters) AS target)",
        (bundle_id,),
    )
    return {AdapterTarget(scope, name): adapter_id for scope, name, adapter_id in rows}


def arrays_of(database: sqlite3.Connection, adapter_id: str) -> bytes | None:
    """An adapter's numbers."""
    row = database.execute("SELECT arrays FROM adapters WHERE adapter_id = ?", (adapter_id,)).fetchone()
    return bytes(row[0]) if row else None


def outdated(database: sqlite3.Connection, bundle_id: str) -> list[AdapterRecord]:
    """Of each target without an adapter of this bundle, the one that was active last with another bundle."""
    rows = database.execute(
        f"SELECT {_COLUMNS} FROM adapters WHERE number IN (SELECT adapter FROM activations WHERE sequence IN"
        " (SELECT max(sequence) FROM activations JOIN adapters ON adapters.number = activations.adapter"
        " GROUP BY scope, name))"
        " AND NOT EXISTS (SELECT 1 FROM adapters AS own WHERE own.scope = adapters.scope AND own.name = adapters.name"
        " AND own.bundle_id = ?) ORDER BY number",
        (bundle_id,),
    ).fetchall()
    return [_record(row, bundle_id, None) for row in rows]


def _record(row: tuple[Any, ...], bundle_id: str, active: str | None) -> AdapterRecord:
    scope: Scope = row[1]
    state: State = "stale" if row[4] != bundle_id else "active" if row[0] == active else "idle"
    return AdapterRecord(
        adapter_id=row[0],
        target=AdapterTarget(scope, row[2]),
        version=row[3],
        bundle_id=row[4],
        adaptation_id=row[5],
        method=row[6],
        k=row[7],
        margin=row[8],
        leave_one_out=json.loads(row[9]),
        activated=bool(row[10]),
        reason=row[11],
        created_at=row[12],
        photos_added=tuple(json.loads(row[13])),
        timings_ms=json.loads(row[14]),
        state=state,
    )
