"""Read-only connections to an SQLite file that never changes, one per thread."""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from index_builder.artifact.errors import IndexCorrupt


class ReadConnections:
    """Queries of one file, thread-safe. A file that SQLite cannot read raises IndexCorrupt with the first query."""

    def __init__(self, path: Path, cache_kib: int | None = None) -> None:
        """Opens nothing: each thread connects with its first query. `cache_kib`: of pages; None for SQLite's 2,000."""
        self._path = path
        self._cache_kib = cache_kib
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        # Whoever forgets `close` leaks no file handles beyond the life of the object.
        weakref.finalize(self, _close_all, self._connections)

    def query(self, sql: str, parameters: Sequence[str | int | float] = ()) -> list[sqlite3.Row]:
        """All rows of the answer, by the names of their columns. Raises IndexCorrupt."""
        try:
            return self.connection().execute(sql, parameters).fetchall()
        except sqlite3.DatabaseError as error:
            raise self._corrupt(error) from error

    def number(self, sql: str) -> int:
        """The answer of a query for one number. Raises IndexCorrupt."""
        return int(self.query(sql)[0][0])

    def stream(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """The rows one by one, as plain tuples; all at once might not fit in memory. Raises IndexCorrupt."""
        try:
            cursor = self.connection().cursor()
            cursor.row_factory = None
            yield from cursor.execute(sql)
        except sqlite3.DatabaseError as error:
            raise self._corrupt(error) from error

    def has_table(self, name: str) -> bool:
        """Whether the file has that table: files of releases before it are read, too."""
        return bool(self.query("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)))

    def connection(self) -> sqlite3.Connection:
        """This thread's connection. Raises sqlite3.OperationalError where the file cannot be opened."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            # A published version never changes: immutable=1 saves the locks, and needs no right to write its folder.
            uri = self._path.absolute().as_uri() + "?mode=ro&immutable=1"
            try:
                connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            except sqlite3.OperationalError:
                # The file is gone, but whoever has it open still reads it: SQLite lets threads take turns.
                with self._lock:
                    if not self._connections:
                        raise
                    return self._connections[0]
            connection.row_factory = sqlite3.Row
            if self._cache_kib is not None:
                connection.execute(f"PRAGMA cache_size = -{self._cache_kib}")
            with self._lock:
                self._connections.append(connection)
            self._local.connection = connection
        return connection

    def close(self) -> None:
        """Close every thread's connection; call when no thread queries any more."""
        with self._lock:
            _close_all(self._connections)
            self._local = threading.local()

    def _corrupt(self, error: sqlite3.DatabaseError) -> IndexCorrupt:
        return IndexCorrupt(self._path.name, expected="a readable SQLite database", actual=str(error))


def _close_all(connections: list[sqlite3.Connection]) -> None:
    while connections:
        connections.pop().close()
