"""One transaction a change: atomic, in turn with other writers, and a clear error where it cannot be."""

from __future__ import annotations

import fcntl
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from service.errors import OnlineCorrupt, OnlineSchemaUnsupported, OnlineUnwritable
from service.store.database import FILE, connect, has_tables, transaction
from service.store.schema import SCHEMA_VERSION

_INSERT = (
    "INSERT INTO photos (photo_id, category, sha256, width, height, created_at, adapter_id)"
    " VALUES (?, '', '', 1, 1, '', '')"
)


def insert(folder: Path, *photo_ids: str, then: str = "SELECT 1", error: BaseException | None = None) -> None:
    """One transaction that stores photos, runs a statement before each, and may fail at its end."""
    with transaction(folder) as writer:
        for photo_id in photo_ids:
            writer.execute(then)
            writer.execute(_INSERT, (photo_id,))
        if error is not None:
            raise error


def stored(folder: Path) -> list[str]:
    with closing(connect(folder / FILE)) as reader:
        return [row["photo_id"] for row in reader.execute("SELECT photo_id FROM photos ORDER BY number")]


def test_the_first_transaction_makes_the_folder_and_the_tables(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    with transaction(folder) as writer:
        writer.execute(_INSERT, ("one",))
    assert stored(folder) == ["one"]
    with closing(connect(folder / FILE)) as reader:
        assert has_tables(reader)
        assert reader.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
        assert reader.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert reader.execute("PRAGMA foreign_keys").fetchone()[0] == 1


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_change_that_fails_never_happened(tmp_path: Path, error: type[BaseException]) -> None:
    insert(tmp_path, "kept")
    with pytest.raises(error):
        insert(tmp_path, "lost", error=error())
    assert stored(tmp_path) == ["kept"]
    insert(tmp_path, "next")  # and the lock is free again
    assert stored(tmp_path) == ["kept", "next"]


def test_readers_see_nothing_before_the_commit(tmp_path: Path) -> None:
    with transaction(tmp_path) as writer:
        writer.execute(_INSERT, ("one",))
    with transaction(tmp_path) as writer:
        writer.execute(_INSERT, ("two",))
        assert stored(tmp_path) == ["one"]
    assert stored(tmp_path) == ["one", "two"]


def test_rows_are_read_by_name(tmp_path: Path) -> None:
    with transaction(tmp_path) as writer:
        writer.execute(_INSERT, ("one",))
        row = writer.execute("SELECT width, photo_id FROM photos").fetchone()
    assert (row["photo_id"], row["width"]) == ("one", 1)


def test_a_constraint_that_breaks_is_corruption_not_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(OnlineCorrupt, match="UNIQUE"):
        insert(tmp_path, "one", "one")
    assert stored(tmp_path) == []


def test_a_read_only_database_is_unwritable(tmp_path: Path) -> None:
    insert(tmp_path, "one")
    with pytest.raises(OnlineUnwritable, match="cannot be written"):
        insert(tmp_path, "two", then="PRAGMA query_only = ON")
    assert stored(tmp_path) == ["one"]


def test_a_writer_that_does_not_end_is_waited_for_and_then_named(tmp_path: Path) -> None:
    with (tmp_path / ".lock").open("a+b") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(OnlineUnwritable, match="another process"), transaction(tmp_path, busy_timeout_s=0.05):
            pass
    with transaction(tmp_path):
        pass


def test_a_creation_that_died_is_repeated(tmp_path: Path) -> None:
    (tmp_path / FILE).touch()  # created, and no table written
    with closing(connect(tmp_path / FILE)) as reader:
        assert not has_tables(reader)
    with transaction(tmp_path) as writer:
        writer.execute(_INSERT, ("one",))
    assert stored(tmp_path) == ["one"]


def test_another_schema_version_is_named_with_what_to_do(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as raw:
        raw.execute("PRAGMA user_version = 7")
        raw.commit()
    with pytest.raises(OnlineSchemaUnsupported, match=r"version 7; this release reads version 1.*INKSEEK_ONLINE_DIR"):
        connect(tmp_path / FILE)
    with pytest.raises(OnlineSchemaUnsupported), transaction(tmp_path):
        pass


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "online").write_text("a file")
    with pytest.raises(OnlineUnwritable, match="online"), transaction(tmp_path / "online"):
        pass


def test_jobs_of_an_earlier_release_are_kept_with_their_items(tmp_path: Path) -> None:
    """The tables of jobs are made anew, since a CHECK cannot be altered: nothing of them may be lost."""
    with transaction(tmp_path) as writer:
        writer.execute(
            "INSERT INTO jobs (job_id, kind, state, stage, done, total, failed, detail, created_by, created_at,"
            " updated_at, owner, alive_at) VALUES ('job-1', 'photos', 'queued', '', 0, 1, 0, '', '', '', '', '', 0)"
        )
        writer.execute("INSERT INTO job_items (job, position, item, image) VALUES (1, 0, 'one', x'01')")
    with closing(sqlite3.connect(tmp_path / FILE)) as old:
        # As version 3 had them, which knew one kind of job less.
        old.executescript(
            "ALTER TABLE jobs DROP COLUMN key_id; PRAGMA foreign_keys = OFF;"
            "PRAGMA writable_schema = ON; UPDATE sqlite_master SET"
            " sql = replace(sql, ', ''adapt''', '') WHERE name = 'jobs'; PRAGMA user_version = 3;"
        )
    with transaction(tmp_path) as writer:
        writer.execute("UPDATE jobs SET kind = 'adapt'")
        assert writer.execute("SELECT number, job_id, kind FROM jobs").fetchone()[:] == (1, "job-1", "adapt")
        assert writer.execute("SELECT job, item, image FROM job_items").fetchone()[:] == (1, "one", b"\x01")
        writer.execute("DELETE FROM jobs")
        assert writer.execute("SELECT count(*) FROM job_items").fetchone()[0] == 0
