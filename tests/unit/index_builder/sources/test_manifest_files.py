"""Tables as spreadsheets save them, and cells that are not what their column is: read, or named in the report."""

from __future__ import annotations

import codecs
import unicodedata
from pathlib import Path
from typing import Literal, TypeAlias

import pyarrow
import pyarrow.parquet
import pytest

from index_builder.report import Note, Skipped
from index_builder.sources.choice import open_source

Form: TypeAlias = Literal["NFC", "NFD"]

TEXT = "photo_path;Größe;price\nshoe/0.jpg;ü;1,5\nshoe/1.jpg;é;2\n"


def notes_of(location: Path) -> list[tuple[str, str]]:
    listed = open_source(location).list()
    return [(entry.reason, entry.path) for entry in listed if isinstance(entry, (Note, Skipped))]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["m.csv", "m.tsv", "m.txt"])
def test_any_separator_is_read(photos: Path, separator: str, name: str) -> None:
    lines = ["photo_path,price,name", 'shoe/0.jpg,9,"a, b; c"', "shoe/1.jpg,10,x"]
    (photos / name).write_text("\n".join(line.replace(",", separator, 2) for line in lines))
    source = open_source(photos / name)
    assert [(field.name, field.type) for field in source.fields] == [("price", "number"), ("name", "text")]
    assert notes_of(photos / name) == []


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8-sig", b""),
        ("utf-16", b""),
        ("utf-16-le", b""),
        ("utf-16-be", b""),
        ("utf-32", b""),
        ("utf-32-be", codecs.BOM_UTF32_BE),
        ("cp1252", b""),
    ],
)
def test_any_unicode_and_the_western_encoding_are_read(photos: Path, encoding: str, mark: bytes) -> None:
    (photos / "m.csv").write_bytes(mark + TEXT.encode(encoding))
    source = open_source(photos / "m.csv")
    assert [(field.name, field.type) for field in source.fields] == [("Größe", "text"), ("price", "number")]
    values = [entry.metadata for entry in source.list() if not isinstance(entry, (Note, Skipped))]
    assert values == [("ü", 1.5), ("é", 2)]
    assert notes_of(photos / "m.csv") == ([("encoding_guessed", "m.csv")] if encoding == "cp1252" else [])


def test_excels_line_about_the_separator_is_obeyed(photos: Path) -> None:
    (photos / "m.csv").write_text("sep=|\r\nphoto_path|price\r\nshoe/0.jpg|1\r\na|b|c\r\n")
    assert [field.name for field in open_source(photos / "m.csv").fields] == ["price"]
    assert notes_of(photos / "m.csv")[0] == ("bad_row", "m.csv:4")


def test_odd_cells_are_named_by_their_row(photos: Path) -> None:
    cells = [*map(str, range(11)), "call us"]
    rows = "".join(f"shoe/{n % 3}.jpg,{n},{cell}\n" for n, cell in enumerate(cells))
    (photos / "m.csv").write_text("photo_path,photo_id,price\n" + rows)
    assert ("odd_cell", "m.csv, row 12") in notes_of(photos / "m.csv")
    (photos / "m.csv").write_text("photo_path,price\nshoe/0.jpg,9\nshoe/1.jpg,10\nshoe/3.jpg,cheap\n")
    assert notes_of(photos / "m.csv") == [("column_as_text", "m.csv, row 3")]


def test_a_column_that_cannot_be_compared_does_not_stop_the_build(photos: Path) -> None:
    table = pyarrow.table(
        {
            "photo_path": ["shoe/0.jpg", "shoe/1.jpg"],
            "tags": [["red", "new"], None],
            "size": [{"w": 1}, {"w": 2}],
            "raw": [b"x", None],
        }
    )
    pyarrow.parquet.write_table(table, photos / "m.parquet")
    source = open_source(photos / "m.parquet")
    assert [(field.name, field.type) for field in source.fields] == [("tags", "list")]
    assert [reason for reason, _ in notes_of(photos / "m.parquet")] == ["column_ignored", "column_ignored"]
    values = [entry.metadata for entry in source.list() if not isinstance(entry, (Note, Skipped))]
    assert values == [(("red", "new"),), (None,)]


@pytest.mark.parametrize(("written", "stored"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_names_that_are_canonically_equal_are_the_same_file(photos: Path, written: Form, stored: Form) -> None:
    folder = photos / unicodedata.normalize(stored, "Ärmel")
    folder.mkdir()
    (folder / unicodedata.normalize(stored, "é.jpg")).write_bytes((photos / "shoe" / "0.jpg").read_bytes())
    (photos / "m.csv").write_text(unicodedata.normalize(written, "photo_path,größe\nÄrmel/é.jpg,ü\n"), encoding="utf-8")
    source = open_source(photos / "m.csv")
    (photo,) = source.list()
    assert not isinstance(photo, (Note, Skipped))
    assert photo.photo_id == unicodedata.normalize("NFC", "Ärmel/é.jpg")
    assert photo.category == unicodedata.normalize("NFC", "Ärmel")
    assert photo.metadata == (unicodedata.normalize("NFC", "ü"),)
    assert source.fields[0].name == unicodedata.normalize("NFC", "größe")
    with source.open(photo) as file:
        assert file.read()
