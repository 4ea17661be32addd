from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from models.data.datasets import ColumnMissing
from models.data.kinds.kind_book import KindBook, KindsConfig, compatible_kinds

TABLE = """kind,split,accepted_names
bread,train,A loaf of bread|bread
apple,train,Red Apple|apple
fruit_bowl,train,Red Apple
drum,val,drum kit
whale,train,
door,train,door
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "kinds.csv").write_text(TABLE)
    return tmp_path


def book(data: Path, **options: object) -> KindBook:
    return KindBook.load(data, KindsConfig.model_validate({"table": "kinds.csv", **options}))


def test_a_name_says_the_kinds_that_accept_it_in_any_case(data: Path) -> None:
    learned = book(data)
    assert learned.of_name("a loaf of Bread") == ("bread",)
    assert learned.of_name("red apple") == ("apple", "fruit_bowl")
    assert learned.of_name("Blue Teapot ") == ("blue_teapot",)  # nobody's name: a kind of its own


def test_what_the_set_itself_says_goes_before_the_name(data: Path) -> None:
    assert book(data).of_name("red apple", "bread") == ("bread", "apple", "fruit_bowl")
    assert book(data).of_name("toast", "bread") == ("bread",)
    assert book(data).of_name("toast", "drum") == ()


def test_validation_kinds_are_learned_only_where_that_is_said(data: Path) -> None:
    choosing, final = book(data), book(data, learn_val=True)
    for learned, kinds in ((choosing, ()), (final, ("drum",))):
        assert learned.of_category("drum") == learned.of_doodle("drum") == learned.of_name("drum kit") == kinds


def test_standard_unseen_categories_are_never_learned_whatever_their_name(data: Path) -> None:
    for learned in (book(data), book(data, learn_val=True)):
        assert learned.of_doodle("door") == learned.of_category("door") == learned.of_category("windows") == ()
        assert learned.of_category("bonsai") == learned.of_name("palm tree") == ()
    assert book(data, unseen=("whale",)).of_doodle("whale") == ()
    assert book(data).of_doodle("whale") == ("whale",)


def test_categories_that_another_name_says_are_one_kind(data: Path) -> None:
    learned = book(data)
    assert learned.of_category("car_sedan") == learned.of_category("car_side") == ("car",)
    assert learned.of_doodle("car") == ()  # not in the table


def test_measured_kinds_are_learned_and_have_a_picture(data: Path) -> None:
    assert [kind for kind in book(data).accepted if book(data).is_measured(kind)] == [
        "bread",
        "apple",
        "fruit_bowl",
        "door",
    ]


def test_a_table_without_its_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kinds.csv").write_text("kind,split\na,train\n")
    with pytest.raises(ColumnMissing, match="accepted_names"):
        book(tmp_path)


def test_kinds_that_a_picture_has_both_of_are_compatible() -> None:
    kinds = ("a", "b", "c", "d")
    together = [("a", "b"), ("c",), (), ("b", "d", "a")]
    table = compatible_kinds(kinds, together)
    for one, other in itertools.product(kinds, kinds):
        expected = one != other and any(one in names and other in names for names in together)
        assert table[kinds.index(one), kinds.index(other)] == expected
