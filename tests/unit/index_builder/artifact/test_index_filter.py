"""Conditions as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index_builder.artifact import Condition, FilterInvalid, PhotoFilter, parse_condition
from index_builder.artifact.photo_filter import OPERATORS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("artist=openmoji", Condition("artist", "=", "openmoji")),
        ("price>=10", Condition("price", ">=", "10")),
        ("name != cup", Condition("name", "!=", "cup")),
        ("price<-1.5e3", Condition("price", "<", "-1.5e3")),
        ("size in cm > 3", Condition("size in cm", ">", "3")),
        ("note=a=b>c", Condition("note", "=", "a=b>c")),
        ("größe=groß", Condition("größe", "=", "groß")),
        ("artist=", Condition("artist", "=", "")),
    ],
)
def test_conditions(text: str, expected: Condition) -> None:
    assert parse_condition(text) == expected


@pytest.mark.parametrize("text", ["", "artist", "=x", "  =x", "!x", "price>=", "price>  "])
def test_what_is_no_condition_is_rejected(text: str) -> None:
    with pytest.raises(FilterInvalid):
        parse_condition(text)


_FIELD = st.text(st.characters(exclude_characters="=!<>", exclude_categories=["Cs"]), min_size=1).filter(
    lambda name: name == name.strip() != ""
)


@given(field=_FIELD, operator=st.sampled_from(OPERATORS), value=st.text(min_size=1))
def test_parsing_undoes_writing(field: str, operator: str, value: str) -> None:
    value = value.strip()
    # "<" or ">" followed by "=" is another operator.
    if not value or (operator in ("<", ">") and value.startswith("=")):
        return
    condition = Condition(field, operator, value)  # type: ignore[arg-type]
    assert parse_condition(str(condition)) == condition


@given(st.text())
def test_parsing_never_raises_anything_else(text: str) -> None:
    try:
        condition = parse_condition(text)
    except FilterInvalid:
        return
    assert condition.field
    assert condition.operator in OPERATORS


def test_an_empty_filter_is_false() -> None:
    assert not PhotoFilter()
    assert PhotoFilter(frozenset({"shoe"}))
    assert PhotoFilter(conditions=(parse_condition("a=b"),))
