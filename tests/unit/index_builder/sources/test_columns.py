"""Types of metadata columns, against what Python itself reads in each cell."""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index_builder.artifact.photos.record import MetadataValue
from index_builder.errors import GalleryInvalid
from index_builder.sources.manifests.cells import ColumnTyper, TextTyper, date_text
from index_builder.sources.manifests.columns import ValueTyper, checked_header, text_of

MANIFEST = "manifest.csv"


@dataclass
class Typed:
    """A column of cells once its type is known."""

    type: str
    values: list[MetadataValue]
    odd: tuple[tuple[int, str], ...]
    hindered: tuple[int, str] | None


def typed(typer: ColumnTyper, cells: Sequence[Any]) -> Typed | None:
    for position, cell in enumerate(cells):
        typer.add(str(position), cell)
    column = typer.column()
    if column is None:
        return None
    values: list[MetadataValue] = []
    odd = []
    for position, cell in enumerate(cells):
        try:
            values.append(column.read(cell))
        except ValueError:
            values.append(None)
            odd.append((position, cell))
    hindered = None if column.hindered is None else (int(column.hindered[0]), column.hindered[1])
    return Typed(column.type, values, tuple(odd), hindered)


def typed_text(cells: Sequence[str], *, decimal_comma: bool = False) -> Typed:
    column = typed(TextTyper(decimal_comma=decimal_comma), cells)
    assert column is not None
    return column


def typed_values(values: Sequence[Any]) -> Typed | None:
    return typed(ValueTyper(), values)


@given(st.lists(st.one_of(st.none(), st.integers(-(2**62), 2**62)), min_size=1).filter(any))
def test_integers_stay_integers(values: list[int | None]) -> None:
    cells = ["" if value is None else str(value) for value in values]
    column = typed_text(cells)
    assert (column.type, column.values) == ("number", values)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1))
def test_decimal_fractions_are_the_floats_that_python_reads(values: list[float]) -> None:
    cells = [f"{value:.6f}" for value in values]
    column = typed_text(cells)
    assert (column.type, column.values) == ("number", [float(cell) for cell in cells])


@given(st.lists(st.text(alphabet="abc xyz", min_size=4).filter(str.strip), min_size=1))
def test_words_stay_text(values: list[str]) -> None:
    column = typed_text(values)
    assert (column.type, column.values) == ("text", values)


@pytest.mark.parametrize("cell", ["007", "1,5", "1.", ".5", "0x10", "1e9999", "inf", "١٢", "1_000", "--1", "+"])
def test_one_cell_that_is_no_number_makes_the_column_text(cell: str) -> None:
    column = typed_text(["1", cell])
    assert (column.type, column.values, column.odd) == ("text", ["1", cell], ())
    assert column.hindered == (1, cell)


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("+5", 5),
        ("-0", 0),
        ("0.50", 0.5),
        ("1e3", 1000.0),
        (str(2**63), float(2**63)),
        ("9" * 30, 1e30),
        ("1e999", None),
    ],
)
def test_numbers_as_people_write_them(cell: str, number: float | None) -> None:
    column = typed_text([cell])
    assert (column.type, column.values) == ("number", [number])


@pytest.mark.parametrize("cells", [[], ["", ""]])
def test_a_column_of_nothing_is_text(cells: list[str]) -> None:
    column = typed_text(cells)
    assert (column.type, column.values) == ("text", [None] * len(cells))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, None, 2.5], ("number", [1, None, 2.5])),
        ([2**64, math.nan, math.inf], ("number", [float(2**64), None, None])),
        ([decimal.Decimal("1.5"), None], ("number", [1.5, None])),
        ([True, None, False], ("boolean", [True, None, False])),
        (["a", "", None], ("text", ["a", None, None])),
        ([datetime.date(2026, 1, 2), None], ("date", ["2026-01-02", None])),
        ([datetime.time(3, 4)], ("text", ["03:04:00"])),
        ([["a", 1], None, []], ("list", [("a", 1), None, ()])),
        ([1, "a", True], ("text", ["1", "a", "True"])),
        ([None, None], ("text", [None, None])),
        ([], ("text", [])),
    ],
)
def test_values_keep_their_type(values: list[Any], expected: tuple[str, list[Any]]) -> None:
    column = typed_values(values)
    assert column is not None
    assert (column.type, column.values) == expected


@pytest.mark.parametrize("values", [[{"a": 1}], ["a", None, b"x"], [[["a"]]], [[{}]]])
def test_what_no_filter_can_compare_is_no_column(values: list[Any]) -> None:
    assert typed_values(values) is None


def test_mixed_values_are_text_and_the_first_odd_one_is_named() -> None:
    column = typed_values(["a", None, 5])
    assert column is not None
    assert (column.values, column.hindered) == (["a", None, "5"], (2, "5"))


@pytest.mark.parametrize(
    "placeholder", ["N/A", "n/a", "NA", "-", "null", "NULL", "None", "NaN", "#N/A", "?", "\u2013", "unknown"]
)
def test_a_placeholder_is_an_unknown_number(placeholder: str) -> None:
    column = typed_text(["9", placeholder, "10"])
    assert (column.type, column.values, column.odd, column.hindered) == ("number", [9, None, 10], (), None)


def test_among_words_only_what_is_no_word_is_unknown() -> None:
    assert typed_text(["cotton", "None", "NA", "N/A", "-"]).values == ["cotton", "None", "NA", None, None]


def test_a_few_odd_cells_among_many_numbers_are_unknown_and_named() -> None:
    column = typed_text([*map(str, range(11)), "call us"])
    assert (column.type, column.values) == ("number", [*range(11), None])
    assert column.odd == ((11, "call us"),)
    # Of two in twelve, nobody can tell what the column is.
    assert typed_text([*map(str, range(10)), "call us", "soon"]).type == "text"


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["TRUE", "FALSE", "", "true"], ("boolean", [True, False, None, True])),
        (["WAHR", "FALSCH"], ("boolean", [True, False])),
        (["2026-01-31", "2026-02-01"], ("date", ["2026-01-31", "2026-02-01"])),
        (["2026-01-31 10:00", "N/A"], ("date", ["2026-01-31T10:00:00", None])),
        (['["red", 38]', "[]", ""], ("list", [("red", 38), (), None])),
        (["[1", "[2]"], ("text", ["[1", "[2]"])),
        (["2026-13-01"], ("text", ["2026-13-01"])),
    ],
)
def test_booleans_dates_and_lists_in_text(cells: list[str], expected: tuple[str, list[Any]]) -> None:
    column = typed_text(cells)
    assert (column.type, column.values) == expected


def test_a_decimal_comma_counts_where_the_table_leaves_it_for_numbers() -> None:
    column = typed_text(["1,5", "2", "0,25"], decimal_comma=True)
    assert (column.type, column.values) == ("number", [1.5, 2, 0.25])


@given(st.lists(st.datetimes(datetime.datetime(1900, 1, 2), datetime.datetime(2999, 1, 1)), min_size=2))
def test_dates_as_text_are_in_the_order_of_time(moments: list[datetime.datetime]) -> None:
    shifted = []
    for moment in moments:
        zone = datetime.timezone(datetime.timedelta(hours=moment.hour - 12))
        shifted.append(moment.replace(microsecond=0, tzinfo=datetime.UTC).astimezone(zone))
    assert sorted(shifted) == sorted(shifted, key=lambda moment: date_text(moment.isoformat()))


def test_text_of_values() -> None:
    assert [text_of(value) for value in (None, "a", 5, datetime.datetime(2026, 1, 2, 3))] == [
        "",
        "a",
        "5",
        "2026-01-02T03:00:00",
    ]


def test_a_header_is_stripped_and_checked() -> None:
    assert checked_header(MANIFEST, [" photo_path ", "a", "b "]) == ["photo_path", "a", "b"]
    for header in ([], ["a"], ["photo_path", "a", " a"], ["photo_path", ""]):
        with pytest.raises(GalleryInvalid, match=r"manifest\.csv"):
            checked_header(MANIFEST, header)
