"""What a process reads of online.sqlite: one connection, and the state of the store as of the last commit."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.errors import OnlineCorrupt, OnlineUnreadable
from service.store import adapters, changes, photos
from service.store.database import connect, has_tables, unreadable, used_bytes
from service.store.records import SealedChanges
from service.store.state.online_state import NOTHING, OnlineState
from service.store.state.photo_changes import PhotoChanges

_log = logging.getLogger("inkseek.service")


class StateReader:
    """Thread-safe: one thread at a time reads. A database that is not there yet has an empty state."""

    def __init__(self, path: Path, bundle_id: str, sealed: SealedChanges | None) -> None:
        """`path`: of the database; nothing is opened before the first call. `sealed`: what the index holds of it."""
        self.problem: str | None = None
        self._path = path
        self._bundle_id = bundle_id
        self._sealed = sealed
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._seen_version = -1
        self._generation = 0
        self._cookie: int | None = None
        self._state = NOTHING
        self._opened_once = False
        self._lost: str | None = None

    def state(self) -> OnlineState:
        """The store as it is now; what another process changed is seen at once.

        Raises OnlineCorrupt when it is damaged from the start. Otherwise the last whole state is answered, and
        `problem` says why.
        """
        with self._lock:
            try:
                self._refresh()
            except (OnlineCorrupt, OnlineUnreadable, sqlite3.Error) as error:
                cause = unreadable(error) if isinstance(error, sqlite3.Error) else error
                if not self._opened_once and isinstance(cause, OnlineCorrupt):
                    raise cause from error
                self._note(str(cause))
            else:
                self._note(self._lost)
            self._opened_once = True
            return self._state

    @property
    def last_state(self) -> OnlineState:
        """The state that was read last."""
        return self._state

    @contextmanager
    def database(self) -> Iterator[sqlite3.Connection | None]:
        """The connection, for this thread alone as long as it is inside; None where there is no database yet.

        Raises OnlineCorrupt, OnlineUnreadable, OnlineSchemaUnsupported.
        """
        with self._lock:
            yield self._current()

    def close(self) -> None:
        """Close the database; a later call opens it again."""
        with self._lock:
            self._close()

    def _note(self, problem: str | None) -> None:
        """What is wrong, from now on; logged once."""
        if problem is not None and problem != self.problem:
            _log.error("the online store: %s", problem)
        self.problem = problem

    def _refresh(self) -> None:
        database = self._current()
        if database is None or not has_tables(database):
            if self._state.targets or self._state.photos:
                self._lost = (
                    f"its database is gone or empty: {len(self._state.targets):,} categories and profiles had adapters "
                    f"in it, and it had {len(self._state.photos):,} photos"
                )
            self._state, self._seen_version = NOTHING, -1
            return
        self._lost = None
        # Changes with each commit of another connection, and our changes are made through others than this one.
        version = int(database.execute("PRAGMA data_version").fetchone()[0])
        if version == self._seen_version:
            return
        # One transaction for all queries, so that they see one commit. A commit between the version and this is loaded
        # now and once more on the next call; the other order would miss it.
        database.execute("BEGIN")
        try:
            self._state = self._load(database)
        finally:
            database.execute("COMMIT")
        self._seen_version = version

    def _load(self, database: sqlite3.Connection) -> OnlineState:
        active = adapters.active_adapters(database, self._bundle_id)
        outdated = adapters.outdated(database, self._bundle_id)
        store_id, change, photo_count = changes.totals(database)
        self._look_whether_replaced(database)
        known = self._state.changes
        if known.generation != self._generation or known.store_id != store_id or change < known.change > known.sealed:
            # What the index holds of another store says nothing of this one.
            sealed = self._sealed.change if self._sealed is not None and self._sealed.store_id == store_id else 0
            known = PhotoChanges(self._generation, sealed, store_id, sealed)
        known = known.followed_by(
            photos.photos_after(database, self._bundle_id, known.change),
            changes.patches_after(database, known.change),
            changes.deletions_after(database, known.change),
            max(change, known.sealed),
        )
        targets = adapters.targets(database)
        return OnlineState(active, targets, known, photo_count, tuple(outdated), used_bytes(database))

    def _look_whether_replaced(self, database: sqlite3.Connection) -> None:
        """SQLite counts this cookie up where a backup is copied into the database (`copies.replace_store`), whose
        numbers of changes may be those of other changes.
        """
        cookie = int(database.execute("PRAGMA schema_version").fetchone()[0])
        if self._cookie is not None and cookie != self._cookie:
            self._generation += 1
        self._cookie = cookie

    def _current(self) -> sqlite3.Connection | None:
        """The connection to the file that lies there now (a backup may have been put in its place)."""
        try:
            inode = self._path.stat().st_ino
        except OSError:
            self._close()
            return None
        if self._connection is None or inode != self._inode:
            self._close()
            connection = connect(self._path)
            if not has_tables(connection):
                connection.close()
                return None
            self._connection, self._inode = connection, inode
            self._generation += 1
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        # `data_version` can only be compared within one connection.
        self._connection, self._seen_version = None, -1
