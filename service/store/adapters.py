"""Adapters in the database: added, looked up, activated, rolled back, deleted. Each call is part of a transaction.

The active adapter is the last of the `activations` among adapters of the bundle in service: so another bundle, and that
bundle again, find their own adapters as they left them, and a rollback takes the last activation away.
"""

from __future__ import annotations

import json
import sqlite3
import uuid

from service.errors import AdapterNotFound, AdaptersLimit, AdapterStale, NothingToRollBack, OnlineTargetsLimit
from service.store.arrays import adapter_bytes, vector_bytes, vector_from_bytes
from service.store.clock import timestamp
from service.store.records import AdapterRecord, AdapterTarget, NewAdapter, State, SupportPair

# All but `arrays`, which are megabytes and needed only to serve.
_COLUMNS = (
    "adapters.adapter_id, scope, name, version, bundle_id, adaptation_id, method, k, margin, leave_one_out, activated,"
    " reason, created_at, photos_added, timings_ms"
)
_ACTIVE = (
    "SELECT adapters.number, adapters.adapter_id FROM activations"
    " JOIN adapters ON adapters.number = activations.adapter"
    " WHERE scope = ? AND name = ? AND bundle_id = ? ORDER BY sequence DESC"
)


def add_adapter(database: sqlite3.Connection, new: NewAdapter, max_adapters: int, max_targets: int) -> str:
    """Store the adapter with its support, activated when `new.activate`; returns its id.

    Raises AdaptersLimit, OnlineTargetsLimit.
    """
    # The limit is for each bundle, so that stale adapters do not use it up; versions count over all of them.
    stored = database.execute(
        "SELECT count(*) FILTER (WHERE bundle_id = ?) AS own, coalesce(max(version), 0) AS latest FROM adapters"
        " WHERE scope = ? AND name = ?",
        (new.bundle_id, *new.target),
    ).fetchone()
    if stored["own"] >= max_adapters:
        raise AdaptersLimit(f"{new.target} has {stored['own']} adapters, the most that are kept: delete one first")
    reject_new_target(targets(database), new.target, max_targets)
    values = {
        "adapter_id": f"adapter-{uuid.uuid4().hex[:12]}",
        "scope": new.target.scope,
        "name": new.target.name,
        "version": stored["latest"] + 1,
        "bundle_id": new.bundle_id,
        "adaptation_id": new.adaptation_id,
        "method": new.method,
        "k": len(new.support),
        "margin": new.margin,
        "leave_one_out": json.dumps(new.leave_one_out_figures),
        "activated": new.activate,
        "reason": new.reason,
        "created_at": timestamp(),
        "photos_added": json.dumps([added.photo.photo_id for added in new.photos]),
        "timings_ms": json.dumps(dict(new.timings_ms)),
        "arrays": adapter_bytes(new.adapter),
    }
    names = ", ".join(values)
    # Only the names above go into the text; every value is bound.
    cursor = database.execute(
        f"INSERT INTO adapters ({names}) VALUES ({', '.join('?' * len(values))})", tuple(values.values())
    )
    database.executemany(
        "INSERT INTO support (adapter, position, sketch, sketch_vector, photo_id) VALUES (?, ?, ?, ?, ?)",
        [
            (cursor.lastrowid, position, pair.sketch, vector_bytes(pair.vector), pair.photo_id)
            for position, pair in enumerate(new.support)
        ],
    )
    if new.activate:
        database.execute("INSERT INTO activations (adapter) VALUES (?)", (cursor.lastrowid,))
    return str(values["adapter_id"])


def targets(database: sqlite3.Connection) -> frozenset[AdapterTarget]:
    """Every category and profile that has an adapter, of whatever bundle."""
    rows = database.execute("SELECT DISTINCT scope, name FROM adapters")
    return frozenset(AdapterTarget(row["scope"], row["name"]) for row in rows)


def reject_new_target(known: frozenset[AdapterTarget], target: AdapterTarget, most: int) -> None:
    """Raises OnlineTargetsLimit when `target` would be one too many."""
    if target not in known and len(known) >= most:
        raise OnlineTargetsLimit(f"{len(known):,} categories and profiles have adapters, as many as may: delete some")


def list_adapters(
    database: sqlite3.Connection, bundle_id: str, target: AdapterTarget | None = None
) -> list[AdapterRecord]:
    """The adapters of one target, or all; the newest first. `bundle_id`: the one in service."""
    where, values = ("WHERE scope = ? AND name = ?", tuple(target)) if target else ("", ())
    rows = database.execute(f"SELECT {_COLUMNS} FROM adapters {where} ORDER BY number DESC", values).fetchall()
    active = {
        target: active_adapter(database, target, bundle_id)
        for target in {AdapterTarget(row["scope"], row["name"]) for row in rows}
    }
    return [_record(row, bundle_id, active[AdapterTarget(row["scope"], row["name"])]) for row in rows]


def get_adapter(database: sqlite3.Connection, bundle_id: str, target: AdapterTarget, adapter_id: str) -> AdapterRecord:
    """One stored adapter of that target. Raises AdapterNotFound."""
    row = database.execute(
        f"SELECT {_COLUMNS} FROM adapters WHERE scope = ? AND name = ? AND adapter_id = ?", (*target, adapter_id)
    ).fetchone()
    if row is None:
        raise AdapterNotFound(f"{target} has no adapter {adapter_id!r}")
    return _record(row, bundle_id, active_adapter(database, target, bundle_id))


def active_adapter(database: sqlite3.Connection, target: AdapterTarget, bundle_id: str) -> str | None:
    """Id of the active adapter, None where none is."""
    row = database.execute(f"{_ACTIVE} LIMIT 1", (*target, bundle_id)).fetchone()
    return row["adapter_id"] if row else None


def activate(database: sqlite3.Connection, bundle_id: str, target: AdapterTarget, adapter_id: str) -> None:
    """Activate a stored adapter, whatever its figures. Raises AdapterNotFound, AdapterStale."""
    adapter = get_adapter(database, bundle_id, target, adapter_id)
    if adapter.state == "stale":
        raise AdapterStale(
            f"adapter {adapter_id} was fitted for bundle {adapter.bundle_id}, and {bundle_id} is served: "
            "`inkseek adapters refit` fits it anew"
        )
    if adapter.state != "active":
        database.execute(
            "INSERT INTO activations (adapter) SELECT number FROM adapters WHERE adapter_id = ?", (adapter_id,)
        )


def roll_back(database: sqlite3.Connection, bundle_id: str, target: AdapterTarget) -> str | None:
    """Activate what was active before; None when that is no adapter at all. Raises NothingToRollBack."""
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
    """Delete an adapter and its support; if it was active, the one before it is again. Raises AdapterNotFound."""
    get_adapter(database, bundle_id, target, adapter_id)
    # Its activations go with it (ON DELETE CASCADE), so that the one before them is the last again.
    database.execute("DELETE FROM adapters WHERE adapter_id = ?", (adapter_id,))


def support_of(database: sqlite3.Connection, adapter_id: str) -> list[SupportPair]:
    """The examples of an adapter, in the order sent."""
    rows = database.execute(
        "SELECT sketch, sketch_vector, photo_id FROM support JOIN adapters ON adapters.number = support.adapter"
        " WHERE adapter_id = ? ORDER BY position",
        (adapter_id,),
    )
    return [SupportPair(row["sketch"], vector_from_bytes(row["sketch_vector"]), row["photo_id"]) for row in rows]


def active_adapters(database: sqlite3.Connection, bundle_id: str) -> dict[AdapterTarget, str]:
    """Ids of the active adapters of this bundle by what they are for."""
    rows = database.execute(
        "SELECT scope, name, adapter_id FROM adapters WHERE number IN"
        " (SELECT (SELECT adapter FROM activations JOIN adapters AS own ON own.number = adapter WHERE own.bundle_id = ?"
        " AND own.scope = target.scope AND own.name = target.name ORDER BY sequence DESC LIMIT 1)"
        " FROM (SELECT DISTINCT scope, name FROM adapters) AS target)",
        (bundle_id,),
    )
    return {AdapterTarget(row["scope"], row["name"]): row["adapter_id"] for row in rows}


def arrays_of(database: sqlite3.Connection, adapter_id: str) -> bytes | None:
    """An adapter's arrays as `adapter_from_bytes` reads them; None for an id that is not stored."""
    row = database.execute("SELECT arrays FROM adapters WHERE adapter_id = ?", (adapter_id,)).fetchone()
    return bytes(row["arrays"]) if row else None


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


def _record(row: sqlite3.Row, bundle_id: str, active: str | None) -> AdapterRecord:
    state: State = "stale" if row["bundle_id"] != bundle_id else "active" if row["adapter_id"] == active else "idle"
    return AdapterRecord(
        adapter_id=row["adapter_id"],
        target=AdapterTarget(row["scope"], row["name"]),
        version=row["version"],
        bundle_id=row["bundle_id"],
        adaptation_id=row["adaptation_id"],
        method=row["method"],
        k=row["k"],
        margin=row["margin"],
        leave_one_out=json.loads(row["leave_one_out"]),
        activated=bool(row["activated"]),
        reason=row["reason"],
        created_at=row["created_at"],
        photos_added=tuple(json.loads(row["photos_added"])),
        timings_ms=json.loads(row["timings_ms"]),
        state=state,
    )
