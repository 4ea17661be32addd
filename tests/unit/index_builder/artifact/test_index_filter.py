"""Conditions as people write them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index_builder.artifact import AnyOf, Condition, FilterInvalid, PhotoFilter, parse_condition
from index_builder.artifact.filters.conditions import OPERATORS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("artist=openmoji", Condition("artist", "=", "openmoji")),
        ("price>=10", Condition("price", ">=", "10")),
        ("name != cup", Condition("name", "!=", "cup")),
        ("price<-1.5e3", Condition("price", "<", "-1.5e3")),
        ("size in cm > 3", Condition("size in cm", ">", "3")),
        ("size in (S, M,L)", Condition("size", "in", among=("S", "M", "L"))),
        ('size NOT IN ("a, b", "c""d")', Condition("size", "in", among=("a, b", 'c"d'), negated=True)),
        ("name^=blu", Condition("name", "^=", "blu")),
        ('name="a OR b"', Condition("name", "=", "a OR b")),
        ('"a=b" = c', Condition("a=b", "=", "c")),
        ("a=1 OR b>2", AnyOf((Condition("a", "=", "1"), Condition("b", ">", "2")))),
        ("a=b or c", Condition("a", "=", "b or c")),
        ("note=a=b>c", Condition("note", "=", "a=b>c")),
        ("größe=groß", Condition("größe", "=", "groß")),
        ("artist=", Condition("artist", "=", "")),
    ],
)
def test_conditions(text: str, expected: Condition | AnyOf) -> None:
    assert parse_condition(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *"=!<>^",
        "",
        "artist",
        "=x",
        "  =x",
        "!x",
        "price>=",
        "price>  ",
        "a in ()",
        "a in (,)",
        "a^=",
        "a=1 OR ",
        " OR a=1",
    ],
)
def test_what_is_no_condition_is_rejected(text: str) -> None:
    with pytest.raises(FilterInvalid):
        parse_condition(text)


_AMBIGUOUS = ["a OR b", '"', "in (a)", "=", "a in (b", ","]
_TEXT = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(_AMBIGUOUS)
_VALUE = _TEXT.map(lambda text: unicodedata.normalize("NFC", text))
_FIELD = _VALUE.map(str.strip).filter(bool)
_COMPARISON = st.builds(
    Condition, _FIELD, st.sampled_from(["=", "!=", ">=", "<=", ">", "<", "^="]), _VALUE.map(str.strip).filter(bool)
)
_CHOICE = st.builds(
    lambda field, among, negated: Condition(field, "in", among=tuple(among), negated=negated),
    _FIELD,
    st.lists(_VALUE.filter(bool), min_size=1, max_size=4),
    st.booleans(),
)
_CONDITION = _COMPARISON | _CHOICE


@given(_CONDITION | st.lists(_CONDITION, min_size=2, max_size=3).map(lambda all_of: AnyOf(tuple(all_of))))
def test_parsing_undoes_writing(clause: Condition | AnyOf) -> None:
    assert parse_condition(str(clause)) == clause


@given(st.text())
def test_parsing_never_raises_anything_else(text: str) -> None:
    try:
        clause = parse_condition(text)
    except FilterInvalid:
        return
    for condition in clause.conditions if isinstance(clause, AnyOf) else (clause,):
        assert condition.field
        assert condition.operator in OPERATORS


def test_an_empty_filter_is_false() -> None:
    assert not PhotoFilter()
    assert PhotoFilter(frozenset({"shoe"}))
    assert PhotoFilter(conditions=(parse_condition("a=b"),))
