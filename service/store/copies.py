"""The whole online store as one file, for a backup, and such a file put in the place of a store, both while it is used.

Both ways go through SQLite's own copy of a database, which is a transaction: readers and other processes see the store
as it was before or as it is after, and a copy that is killed never happened.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from service.errors import OnlineCorrupt, OnlineUnwritable
from service.store.database import BUSY_TIMEOUT_S, FILE, PAGE_BYTES, connect, only_writer, unreadable
from service.store.schema import schema_version

_HEADER = b"SQLite format 3\0"
_USER_VERSION = slice(60, 64)  # where a database's header has it: https://sqlite.org/fileformat.html


def has_store(folder: Path) -> bool:
    """Whether there is an online store in `folder`."""
    return (folder / FILE).is_file()


def copy_store(folder: Path, target: Path) -> int:
    """Write the store as of this moment to `target`, one file that needs no other; its schema version.

    Changes that are made meanwhile are not in it, and are not kept waiting. Raises OnlineCorrupt, OnlineUnreadable,
    OnlineSchemaUnsupported, OSError.
    """
    with closing(connect(folder / FILE)) as source, closing(sqlite3.connect(target)) as copy:
        try:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # or it would have a log beside it
            check_copy(copy)
            return schema_version(copy)
        except sqlite3.OperationalError as error:
            raise OSError(f"{target} cannot be written: {error}") from error
        except sqlite3.Error as error:
            raise unreadable(error) from error


def check_store_file(path: Path) -> int:
    """The schema version of a file that `copy_store` wrote, every page of which is read.

    Raises OnlineCorrupt, OnlineUnreadable, OnlineSchemaUnsupported.
    """
    with closing(connect(path)) as copy:
        try:
            check_copy(copy)
            return schema_version(copy)
        except sqlite3.Error as error:
            raise unreadable(error) from error


def check_copy(database: sqlite3.Connection) -> None:
    """Raises OnlineCorrupt where SQLite finds damage, sqlite3.Error where it cannot look."""
    (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise OnlineCorrupt(f"{FILE} is damaged: {found}")


def version_in_header(head: bytes) -> int | None:
    """The schema version of a store from the first 100 bytes of its file; None where they are of no database."""
    if len(head) < _USER_VERSION.stop or not head.startswith(_HEADER):
        return None
    return int.from_bytes(head[_USER_VERSION])


def replace_store(folder: Path, source: Path) -> None:
    """Put the store in the file `source` in the place of the one in `folder`, which may be in use or not there.

    Services see it with their next request. What lies there may be of a newer release, and is gone afterwards.
    Raises OnlineUnwritable (nothing was changed then), OnlineCorrupt when what lies there is no database.
    """
    path = folder / FILE
    with only_writer(folder), closing(sqlite3.connect(source)) as copy:
        try:
            with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)) as store:
                if not path.stat().st_size:  # before WAL, in which the page size can no longer be changed
                    store.execute(f"PRAGMA page_size = {PAGE_BYTES}")
                    store.execute("PRAGMA journal_mode = WAL")
                store.execute("PRAGMA synchronous = FULL")
                copy.backup(store)
        except sqlite3.OperationalError as error:
            raise OnlineUnwritable(f"{path} cannot be written: {error}") from error
        except sqlite3.DatabaseError as error:
            raise OnlineCorrupt(f"{path} cannot be replaced: {error}; move it away, then restore again") from error
