"""photos.sqlite: a damaged file is named as such."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from index_builder.artifact import IndexCorrupt
from index_builder.artifact.photos.store import PhotoStore
from tests.unit.index_builder.artifact.photos.photo_file import COUNT, FIELDS, write


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("UPDATE photos SET photo_id = 'zzz' WHERE row = 3", "not in the order of their photo ids"),
        ("DELETE FROM photos WHERE row = 0", "not in the order of their photo ids"),
        ("DELETE FROM thumbnails WHERE row IN (2, 5)", "2 photos have no thumbnail"),
    ],
)
def test_rows_that_contradict_each_other_are_problems(tmp_path: Path, sql: str, problem: str) -> None:
    path = write(tmp_path / "photos.sqlite", 9)
    database = sqlite3.connect(path, isolation_level=None)
    database.execute(sql)
    database.close()
    store = PhotoStore(path, FIELDS)
    assert any(problem in line for line in store.problems())
    store.close()


def defects(store: PhotoStore) -> list[str]:
    """SQLite reports some damage and stops at other."""
    try:
        return store.problems()
    except IndexCorrupt as error:
        return [error.what]


def test_damaged_pages_are_noticed(tmp_path: Path) -> None:
    path = write(tmp_path / "photos.sqlite", 400)
    data = bytearray(path.read_bytes())
    data[5000:9000] = b"\xff" * 4000
    path.write_bytes(data)
    store = PhotoStore(path, FIELDS)
    assert defects(store)
    store.close()


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_what_is_no_database_is_corrupt(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "photos.sqlite").write_bytes(content)
    store = PhotoStore(tmp_path / "photos.sqlite", FIELDS)
    with pytest.raises(IndexCorrupt, match=r"photos\.sqlite"):
        store.count()
    store.close()


def test_a_missing_file_is_corrupt_and_not_created(tmp_path: Path) -> None:
    store = PhotoStore(tmp_path / "photos.sqlite", FIELDS)
    with pytest.raises(IndexCorrupt):
        store.photo("x")
    store.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE row_categories SET codes = CAST(substr(codes, 5) AS BLOB)",
        "UPDATE row_categories SET codes = CAST(substr(codes, 4) AS BLOB)",
        "DELETE FROM category_names WHERE code = 3",
        "UPDATE row_categories SET codes = CAST(x'ffffffff' || substr(codes, 5) AS BLOB)",
    ],
    ids=["a row too few", "half a number", "a name too few", "a negative code"],
)
def test_categories_that_do_not_fit_the_rows_are_damage(tmp_path: Path, change: str) -> None:
    write(tmp_path / "photos.sqlite", COUNT)
    database = sqlite3.connect(tmp_path / "photos.sqlite")
    database.execute(change)
    database.commit()
    database.close()
    store = PhotoStore(tmp_path / "photos.sqlite", FIELDS)
    with pytest.raises(IndexCorrupt, match="category for each"):
        store.row_categories()
    store.close()
