"""The names of categories and profiles."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.adaptation.targets import NAME_CHARACTERS, adapter_target
from service.errors import NameInvalid


@given(name=st.text(max_size=600))
def test_a_name_is_normalised_or_rejected(name: str) -> None:
    try:
        target = adapter_target("category", name)
    except NameInvalid:
        return
    assert target.scope == "category"
    assert target.name == unicodedata.normalize("NFC", name) == target.name.strip()
    assert 0 < len(target.name) <= NAME_CHARACTERS
    assert adapter_target("category", target.name) == target


def test_composed_and_decomposed_names_are_one_target() -> None:
    assert adapter_target("category", "A\u0308rmel") == adapter_target("category", "\u00c4rmel")
    assert adapter_target("category", "ada") != adapter_target("profile", "ada")
    assert str(adapter_target("profile", "ada")) == "profile 'ada'"


@pytest.mark.parametrize("name", ["", " ", " a", "a\n", "a\x00b", "\ud800", "x" * 501, "a\u0085b"])
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(NameInvalid, match="the name of a profile"):
        adapter_target("profile", name)


@pytest.mark.parametrize("name", ["a/b: c", "x" * 500, "画像", "a  b", "%20"])
def test_names_that_can_be(name: str) -> None:
    assert adapter_target("category", name).name == name
