"""A store copied while others write to it, and replaced while others read it."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from service.errors import OnlineCorrupt, OnlineSchemaUnsupported, OnlineUnwritable
from service.store.copies import check_store_file, copy_store, has_store, replace_store, version_in_header
from service.store.online_store import OnlineStore
from service.store.records import NewAdapter, NewPhoto
from service.store.schema import SCHEMA_VERSION
from tests.unit.service.store.adding import active, add

MakeAdapter = Callable[..., NewAdapter]
MakeStore = Callable[..., OnlineStore]
MakePhoto = Callable[..., NewPhoto]


def test_a_copy_needs_no_other_file(make_store: MakeStore, make_adapter: MakeAdapter, tmp_path: Path) -> None:
    store = make_store()
    adapter_id = add(store, make_adapter())
    copy = tmp_path / "copy" / "online.sqlite"
    copy.parent.mkdir()
    assert has_store(store.folder) and not has_store(tmp_path)
    assert copy_store(store.folder, copy) == check_store_file(copy) == SCHEMA_VERSION
    assert version_in_header(copy.read_bytes()[:100]) == SCHEMA_VERSION
    assert version_in_header(b"something else") is None
    assert [path.name for path in copy.parent.iterdir()] == ["online.sqlite"]
    read = make_store(folder="copy")
    assert active(read) == adapter_id
    read.close()


def test_copies_made_between_writes_hold_each_of_them_whole_or_not_at_all(
    make_store: MakeStore, new_photo: MakePhoto, tmp_path: Path
) -> None:
    store = make_store()
    written = threading.Event()
    store.put_photos([new_photo(0), new_photo(1)], 1000)

    def write() -> None:
        for pair in range(1, 40):
            store.put_photos([new_photo(2 * pair), new_photo(2 * pair + 1)], 1000)
        written.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    while not written.is_set():
        copy = tmp_path / "copy.sqlite"
        copy_store(store.folder, copy)
        with closing(sqlite3.connect(copy)) as database:
            (photos,), (files,), (said,) = (
                database.execute(query).fetchone()
                for query in (
                    "SELECT count(*) FROM photos",
                    "SELECT count(*) FROM photo_files",
                    "SELECT photos FROM totals",
                )
            )
        assert photos == files == said and photos % 2 == 0  # two at a time, each with its file
        seen.add(photos)
        copy.unlink()
    writer.join()
    assert seen


def test_readers_see_the_old_store_or_the_new_one(
    make_store: MakeStore, make_adapter: MakeAdapter, new_photo: MakePhoto, tmp_path: Path
) -> None:
    """Numbers of changes go on in the old store past those of the copy: nothing of the old one is taken for known."""
    store, reader = make_store(), make_store()
    adapter_id = add(store, make_adapter())
    store.put_photos([new_photo(1)], 100)
    copy = tmp_path / "copy.sqlite"
    copy_store(store.folder, copy)
    for number in range(2, 8):
        store.put_photos([new_photo(number)], 100)
    later = add(store, make_adapter(seed=5))
    assert active(reader) == later and len(reader.state().photos) == 7
    replace_store(store.folder, copy)
    # As many changes again, before the reader looks: the highest number is what the reader knows already.
    for number in range(12, 18):
        store.put_photos([new_photo(number)], 100)
    expected = {"online/1", *(f"online/{number}" for number in range(12, 18))}
    for opened in (reader, store, make_store()):
        assert {photo.photo_id for photo in opened.state().photos} == expected
        assert active(opened) == adapter_id
        assert opened.problem is None
        opened.close()
    with closing(sqlite3.connect(store.folder / "online.sqlite")) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_store_is_put_where_there_is_none(make_store: MakeStore, make_adapter: MakeAdapter, tmp_path: Path) -> None:
    store = make_store()
    adapter_id = add(store, make_adapter())
    copy = tmp_path / "copy.sqlite"
    copy_store(store.folder, copy)
    reader = make_store(folder="elsewhere")
    assert reader.state().active == {}
    replace_store(tmp_path / "elsewhere", copy)
    assert active(reader) == adapter_id
    with closing(sqlite3.connect(tmp_path / "elsewhere" / "online.sqlite")) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert database.execute("PRAGMA page_size").fetchone() == (16_384,)
    reader.close()


def test_a_store_of_a_later_release_gives_way_and_is_not_copied(
    make_store: MakeStore, make_adapter: MakeAdapter, tmp_path: Path
) -> None:
    store = make_store()
    adapter_id = add(store, make_adapter())
    copy = tmp_path / "copy.sqlite"
    copy_store(store.folder, copy)
    store.close()
    for file in (store.folder / "online.sqlite", later := tmp_path / "later.sqlite"):
        if file == later:
            shutil.copy(copy, later)
        with closing(sqlite3.connect(file)) as database:
            database.execute("PRAGMA user_version = 99")
            database.commit()
    with pytest.raises(OnlineSchemaUnsupported, match="schema version 99; this release reads version 1"):
        copy_store(store.folder, tmp_path / "other.sqlite")
    with pytest.raises(OnlineSchemaUnsupported):
        check_store_file(later)
    replace_store(store.folder, copy)  # the way back from an upgrade
    assert active(store) == adapter_id
    store.close()


def test_what_is_no_database_is_not_replaced_in_silence(
    make_store: MakeStore, make_adapter: MakeAdapter, tmp_path: Path
) -> None:
    store = make_store()
    add(store, make_adapter())
    copy = tmp_path / "copy.sqlite"
    copy_store(store.folder, copy)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "online.sqlite").write_bytes(b"my notes" * 1000)
    with pytest.raises(OnlineCorrupt, match="move it away"):
        replace_store(tmp_path / "other", copy)
    assert (tmp_path / "other" / "online.sqlite").read_bytes() == b"my notes" * 1000
    (tmp_path / "file").write_text("")
    with pytest.raises(OnlineUnwritable):
        replace_store(tmp_path / "file" / "online", copy)
    store.close()


def test_a_damaged_copy_is_found(make_store: MakeStore, make_adapter: MakeAdapter, tmp_path: Path) -> None:
    store = make_store()
    add(store, make_adapter())
    copy = tmp_path / "copy.sqlite"
    copy_store(store.folder, copy)
    store.close()
    data = bytearray(copy.read_bytes())
    data[16_384:32_768] = b"\xff" * 16_384
    copy.write_bytes(data)
    with pytest.raises(OnlineCorrupt):
        check_store_file(copy)
