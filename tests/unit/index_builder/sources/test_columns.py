"""Types of metadata columns, against what Python itself reads in each cell."""

from __future__ import annotations

import datetime
import decimal
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index_builder.errors import GalleryInvalid
from index_builder.sources.columns import checked_header, text_of, typed_text, typed_values

MANIFEST = Path("manifest.csv")


@given(st.lists(st.one_of(st.none(), st.integers(-(2**62), 2**62)), min_size=1).filter(any))
def test_integers_stay_integers(values: list[int | None]) -> None:
    cells = ["" if value is None else str(value) for value in values]
    assert typed_text(cells) == ("number", values)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1))
def test_decimal_fractions_are_the_floats_that_python_reads(values: list[float]) -> None:
    cells = [f"{value:.6f}" for value in values]
    assert typed_text(cells) == ("number", [float(cell) for cell in cells])


@given(st.lists(st.text(alphabet="abc xyz-", min_size=1).filter(lambda text: text.strip("-") != ""), min_size=1))
def test_words_stay_text(values: list[str]) -> None:
    assert typed_text(values) == ("text", values)


@pytest.mark.parametrize("cell", ["007", "1,5", "1.", ".5", "0x10", "1e9999", "NaN", "inf", "١٢", "1_000", "--1", "+"])
def test_one_cell_that_is_no_number_makes_the_column_text(cell: str) -> None:
    field_type, values = typed_text(["1", cell])
    assert (field_type, values) == ("text", ["1", cell])


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
    assert typed_text([cell]) == ("number", [number])


@pytest.mark.parametrize("cells", [[], ["", ""]])
def test_a_column_of_nothing_is_text(cells: list[str]) -> None:
    assert typed_text(cells) == ("text", [None] * len(cells))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, None, 2.5], ("number", [1, None, 2.5])),
        ([2**64, math.nan, math.inf], ("number", [float(2**64), None, None])),
        ([decimal.Decimal("1.5"), None], ("number", [1.5, None])),
        ([True, None, False], ("boolean", [True, None, False])),
        (["a", "", None], ("text", ["a", None, None])),
        ([datetime.date(2026, 1, 2), None], ("text", ["2026-01-02", None])),
        ([None, None], ("text", [None, None])),
        ([], ("text", [])),
    ],
)
def test_values_keep_their_type(values: list[Any], expected: tuple[str, list[Any]]) -> None:
    assert typed_values(MANIFEST, "column", values) == expected


@pytest.mark.parametrize("values", [[1, "a"], [True, 1], [["a"]], [{"a": 1}], ["a", None, b"x"]])
def test_mixed_and_nested_values_are_rejected_by_the_columns_name(values: list[Any]) -> None:
    with pytest.raises(GalleryInvalid, match=r"manifest\.csv: column tags "):
        typed_values(MANIFEST, "tags", values)


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
