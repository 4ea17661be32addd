"""online.sqlite: its tables, its connections, its transactions. Every change is one transaction, forced to the disk.

A change that was answered survives a power cut; one that was cut short never happened. Readers see the database as of
one moment. Nothing else of the online store lies on the disk.
"""

from __future__ import annotations

import fcntl
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from models.schema_versions import unreadable as unreadable_version
from service.errors import OnlineCorrupt, OnlineSchemaUnsupported, OnlineUnreadable, OnlineUnwritable, ServiceError
from service.store.schema import READABLE_VERSIONS, migrate, schema_version

FILE = "online.sqlite"

BUSY_TIMEOUT_S = 10.0
_LOCK = ".lock"
_LOCK_POLL_S = 0.003
# An adapter is some megabytes: large pages, and not a checkpoint after every other one.
PAGE_BYTES = 16_384
_CHECKPOINT_PAGES = 2_000


def connect(path: Path) -> sqlite3.Connection:
    """A connection to a database that is there, for any thread that holds the caller's lock; rows are read by name.

    Raises OnlineCorrupt, OnlineUnreadable, OnlineSchemaUnsupported.
    """
    try:
        database, version = _open(str(path))
    except sqlite3.Error as error:
        if not _is_read_only(path, error):
            raise unreadable(error) from error
        try:
            # SQLite keeps files beside a database in WAL mode, and cannot where nothing may be written. With none of
            # them there, all is in the database itself, which nobody can change.
            database, version = _open(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        except sqlite3.Error as again:
            raise unreadable(again) from again
    if version not in (0, *READABLE_VERSIONS):
        database.close()
        raise OnlineSchemaUnsupported(
            f"{unreadable_version(path.name, version, READABLE_VERSIONS)}, or give another INKSEEK_ONLINE_DIR"
        )
    return database


def _open(name: str, *, uri: bool = False) -> tuple[sqlite3.Connection, int]:
    """The connection, and the database's schema version. Raises sqlite3.Error."""
    # isolation_level None: transactions begin and end where this module says, not where Python would begin them.
    database = sqlite3.connect(
        name, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, cached_statements=64, uri=uri
    )
    try:
        database.row_factory = sqlite3.Row
        # Off by default in every connection, and deletions rely on the cascades.
        database.execute("PRAGMA foreign_keys = ON")
        # With NORMAL, a power cut may take back the last commits of a database in WAL mode.
        database.execute("PRAGMA synchronous = FULL")
        database.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        return database, schema_version(database)
    except sqlite3.Error:
        database.close()
        raise


def _is_read_only(path: Path, error: sqlite3.Error) -> bool:
    log = path.with_name(path.name + "-wal")
    may_be = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
    return may_be and path.is_file() and not (log.is_file() and log.stat().st_size)


def unreadable(error: sqlite3.Error) -> ServiceError:
    """OnlineCorrupt when SQLite found damage; OnlineUnreadable when it could not look."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return OnlineCorrupt(f"{FILE} cannot be read: {error}")
    return OnlineUnreadable(f"{FILE} cannot be opened or read: {error}")


def used_bytes(database: sqlite3.Connection) -> int:
    """Bytes of what is kept; what was deleted leaves pages that are used again."""
    pages, free, size = (
        int(database.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def has_tables(database: sqlite3.Connection) -> bool:
    """Whether the tables are there: False only until a creation that died is repeated."""
    return schema_version(database) != 0


@contextmanager
def transaction(folder: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Iterator[sqlite3.Connection]:
    """What is done inside happens atomically. Writers of all processes take turns; the database is made if need be.

    `busy_timeout_s`: the longest wait for another writer.
    Raises OnlineUnwritable, OnlineCorrupt, OnlineSchemaUnsupported.
    """
    with only_writer(folder, busy_timeout_s), closing(_opened(folder / FILE)) as database:
        try:
            database.execute("BEGIN IMMEDIATE")
            yield database
            database.execute("COMMIT")
        except sqlite3.OperationalError as error:  # a full disk, a read-only one, a lock that is not given up
            raise OnlineUnwritable(f"{FILE} cannot be written: {error}") from error
        except sqlite3.DatabaseError as error:
            raise OnlineCorrupt(f"{FILE}: {error}") from error
        finally:
            if database.in_transaction:
                database.execute("ROLLBACK")


@contextmanager
def only_writer(folder: Path, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Iterator[None]:
    """Whoever is inside writes alone, of all processes; the folder is made if need be. Raises OnlineUnwritable."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / _LOCK).open("a+b")
    except OSError as error:
        raise OnlineUnwritable(f"the online folder cannot be written: {error.strerror or error}") from error
    with lock:
        _wait_for(lock.fileno(), folder / FILE, busy_timeout_s)
        yield


def _wait_for(lock: int, path: Path, busy_timeout_s: float) -> None:
    """The lock is given up when its file is closed, however the process ends. Raises OnlineUnwritable."""
    deadline = time.monotonic() + busy_timeout_s
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise OnlineUnwritable(f"{path.name} is being written by another process, which does not end") from None
        time.sleep(_LOCK_POLL_S)


def _opened(path: Path) -> sqlite3.Connection:
    database = connect(path)
    try:
        if not has_tables(database):
            # Before WAL, in which the page size can no longer be changed.
            database.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            database.execute("PRAGMA journal_mode = WAL")
        migrate(database)
    except sqlite3.OperationalError as error:
        database.close()
        raise OnlineUnwritable(f"{path.name} cannot be written: {error}") from error
    return database
