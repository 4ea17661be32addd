"""Folders without what archivers leave in them, bases below a root, names of files, tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.data.datasets import ColumnMissing
from models.data.datasets.files.folders import bases, before_last, category_from, folders_in, images_in, lines_of
from models.data.datasets.files.tables import read_table


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_images_are_those_with_a_known_suffix_that_nobody_hid(tmp_path: Path) -> None:
    touch(tmp_path, "b.PNG", "a.jpeg", "notes.txt", "._b.PNG", ".hidden.png", "folder.png/inner.png", "c.tif")
    assert [path.name for path in images_in(tmp_path)] == ["a.jpeg", "b.PNG", "c.tif"]
    assert images_in(tmp_path / "nowhere") == []
    assert images_in(tmp_path / "notes.txt") == []


def test_folders_are_in_order_of_the_numbers_in_their_names(tmp_path: Path) -> None:
    touch(tmp_path, "10/x", "9/x", "user2/x", "user10/x", "user/x", "__MACOSX/x", ".git/x", "file")
    assert [path.name for path in folders_in(tmp_path)] == ["9", "10", "user", "user2", "user10"]
    assert folders_in(tmp_path / "nowhere") == []


def test_bases_are_found_to_a_depth_and_not_within_each_other(tmp_path: Path) -> None:
    touch(tmp_path, "one/here", "two/deep/here", "two/deep/er/here", "three/too/deep/here")

    def is_base(folder: Path) -> bool:
        return (folder / "here").is_file()

    assert [base.relative_to(tmp_path).as_posix() for base in bases(tmp_path, is_base)] == ["one", "two/deep"]
    assert [base.name for base in bases(tmp_path, is_base, depth=1)] == ["one"]
    assert bases(tmp_path, is_base, depth=0) == []
    touch(tmp_path, "here")
    assert bases(tmp_path, is_base) == [tmp_path]


@pytest.mark.parametrize(
    ("folder", "category"),
    [("ShoeV2", "shoe"), ("shoes", "shoe"), ("QMUL-Chair-v2", "chair"), ("Clothes", "clothes"), ("Lamps", "lamps")],
)
def test_a_folder_s_category(folder: str, category: str) -> None:
    assert category_from(Path(folder)) == category


@pytest.mark.parametrize(
    ("stem", "parts"),
    [("a_b_12", ("a_b", "12")), ("12_1", ("12", "1")), ("12", None), ("_1", None), ("12_", None), ("", None)],
)
def test_a_name_is_cut_at_its_last_separator(stem: str, parts: tuple[str, str] | None) -> None:
    assert before_last(stem, "_") == parts


def test_lists_are_read_without_blanks_and_marks(tmp_path: Path) -> None:
    table = tmp_path / "list.txt"
    table.write_bytes("\ufeffone.png\r\n\r\n  two.png \n".encode() + b"caf\xe9.png\n")
    assert lines_of(table) == ["one.png", "two.png", "caf\ufffd.png"]


def test_a_table_may_have_more_columns_and_short_rows(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_bytes('\ufeffkind,split,note\r\ncup,train,"a, b"\r\nowl\r\nhat,val,x,surplus\r\n'.encode())
    rows = read_table(table, ("kind", "split"))
    assert rows == [
        {"kind": "cup", "split": "train", "note": "a, b"},
        {"kind": "owl", "split": "", "note": ""},
        {"kind": "hat", "split": "val", "note": "x"},
    ]


def test_a_table_without_a_column_or_a_header_is_rejected(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("kind,part\ncup,train\n")
    with pytest.raises(ColumnMissing, match=r"table\.csv lacks the column 'split'; it has kind, part"):
        read_table(table, ("kind", "split"))
    table.write_text("")
    with pytest.raises(ColumnMissing, match="lacks the column 'kind'; it has no header"):
        read_table(table, ("kind",))
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / "nowhere.csv", ("kind",))
