"""What becomes of a store's file from outside: put back, emptied, damaged, not to be opened or written."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.adapters import CategoryAdapter
from service.errors import (
    OnlineCorrupt,
    OnlineUnreadable,
    OnlineUnwritable,
)
from service.store.online_store import OnlineStore
from service.store.records import NewAdapter, NewPhoto
from service.store.state.online_state import NOTHING
from tests.unit.service.store.adding import active, add

MakeAdapter = Callable[..., NewAdapter]
MakeStore = Callable[..., OnlineStore]
MakePhoto = Callable[..., NewPhoto]


def test_a_store_put_back_from_a_backup_is_seen(
    make_store: MakeStore, make_adapter: MakeAdapter, tmp_path: Path
) -> None:
    store, other = make_store(), make_store(folder="backup")
    add(store, make_adapter())
    restored = add(other, make_adapter(seed=1))
    other.close()
    with sqlite3.connect(tmp_path / "backup" / "online.sqlite") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    store.state()
    (tmp_path / "backup" / "online.sqlite").replace(tmp_path / "online" / "online.sqlite")
    for name in ("online.sqlite-wal", "online.sqlite-shm"):
        (tmp_path / "online" / name).unlink(missing_ok=True)
    assert active(store) == restored


def test_what_is_no_room_is_refused_at_the_start_and_survived_later(
    make_store: MakeStore, make_adapter: MakeAdapter, tmp_path: Path
) -> None:
    running = make_store()
    adapter_id = add(running, make_adapter())
    assert active(running) == adapter_id
    path = tmp_path / "online" / "online.sqlite"
    path.unlink()
    path.write_bytes(b"no database at all" * 100)
    assert active(running) == adapter_id
    assert running.problem is not None and "online.sqlite" in running.problem
    with pytest.raises(OnlineCorrupt):
        make_store().state()

    path.unlink()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 9")
    database.close()
    with pytest.raises(OnlineCorrupt, match="schema version 9"):
        make_store().state()


def test_numbers_that_are_no_adapter_are_refused(make_store: MakeStore, make_adapter: MakeAdapter) -> None:
    store = make_store()
    new = make_adapter()
    assert isinstance(new.adapter, CategoryAdapter)
    add(store, replace(new, adapter=replace(new.adapter, mean=np.zeros(7, np.float32))))
    with pytest.raises(OnlineCorrupt, match="not an adapter for 6 numbers"):
        make_store().check()


def test_where_nothing_can_be_written_that_is_said(
    make_store: MakeStore, make_adapter: MakeAdapter, tmp_path: Path
) -> None:
    (tmp_path / "online").write_text("a file where the folder should be")
    store = make_store()
    assert store.state() is NOTHING
    with pytest.raises(OnlineUnwritable, match="cannot be written"):
        add(store, make_adapter())


def test_what_cannot_be_opened_is_not_called_corrupt(
    make_store: MakeStore, make_adapter: MakeAdapter, tmp_path: Path
) -> None:
    adapter_id = add(make_store(), make_adapter())
    with closing(sqlite3.connect(tmp_path / "online" / "online.sqlite")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for name in ("online.sqlite-shm", "online.sqlite-wal"):
        (tmp_path / "online" / name).unlink(missing_ok=True)
    # SQLite finds no room for the files that it keeps beside the database, as on a read-only disk: it is read without.
    (tmp_path / "online" / "online.sqlite-shm").mkdir()
    store = make_store()
    assert active(store) == adapter_id and store.problem is None
    assert [adapter.adapter_id for adapter in store.list_adapters()] == [adapter_id]
    with pytest.raises(OnlineUnwritable):
        add(store, make_adapter(seed=1))
    (tmp_path / "away" / "online.sqlite").mkdir(parents=True)  # no file that could be opened, whoever asks
    other = make_store(folder="away")
    assert other.state() is NOTHING
    assert other.problem is not None and "cannot be opened or read" in other.problem
    assert str(tmp_path) not in other.problem
    with pytest.raises(OnlineUnreadable):
        other.list_adapters()


@pytest.mark.parametrize("how", ["removed", "truncated"])
def test_a_store_that_is_emptied_is_noticed(
    make_store: MakeStore, make_adapter: MakeAdapter, tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = make_store()
    adapter_id = add(store, make_adapter())
    assert active(store) == adapter_id
    path = tmp_path / "online" / "online.sqlite"
    for name in ("online.sqlite-shm", "online.sqlite-wal"):
        (tmp_path / "online" / name).unlink(missing_ok=True)
    path.unlink()
    if how == "truncated":
        path.touch()
    for _ in range(2):
        assert store.state() is NOTHING
        assert store.problem is not None and "1 categories and profiles had adapters in it" in store.problem
    assert len([record for record in caplog.records if "gone or empty" in record.getMessage()]) == 1
    # A new one is taken for what it is.
    again = add(store, make_adapter(seed=2))
    assert active(store) == again and store.problem is None
