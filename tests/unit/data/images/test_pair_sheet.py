"""Captions that fit, and which pairs come onto a sheet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import ImageFont

from models.data.datasets import PairDataset, open_dataset
from models.data.images.captions import printable, shortened
from models.data.images.pair_sheet import choose_records, pair_sheet

FONT = ImageFont.load_default(12)


@pytest.fixture
def dataset(tmp_path: Path, photo: Callable[..., Path], sketch: Callable[..., Path]) -> PairDataset:
    """Twelve sketches of cups and three of lamps, of a lamp one is `val`."""
    rows = ["sketch_path,photo_path,category,photo_id,split"]
    for category, count in (("cup", 12), ("lamp", 3)):
        photo(tmp_path / f"{category}.png")
        for number in range(count):
            sketch(tmp_path / f"{category}_{number:02d}.png")
            split = "val" if (category, number) == ("lamp", 0) else "train"
            rows.append(f"{category}_{number:02d}.png,{category}.png,{category},1,{split}")
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n")
    return open_dataset(tmp_path)


def test_characters_that_the_font_lacks_become_question_marks() -> None:
    assert printable("café ñ") == "café ñ"
    assert printable("椅子 chair →") == "?? chair ?"


@pytest.mark.parametrize("text", ["a", "a caption that is rather long for its picture", "日本" * 40, ""])
@pytest.mark.parametrize("width", [20, 60, 200])
def test_a_shortened_text_fits_and_is_the_longest_that_does(text: str, width: int) -> None:
    short = shortened(text, FONT, width)
    assert FONT.getlength(short) <= width
    if short != printable(text):
        kept = short.removesuffix("...")
        assert printable(text).startswith(kept)
        assert FONT.getlength(printable(text)[: len(kept) + 1] + "...") > width


def test_no_character_fits_beside_the_dots() -> None:
    assert shortened("wide", FONT, 5) == "..."


def test_splits_and_categories_take_turns(dataset: PairDataset) -> None:
    counts = Counter((record.photo.category, record.split) for record in choose_records(dataset, 7, seed=3))
    assert counts == {("cup", "train"): 4, ("lamp", "train"): 2, ("lamp", "val"): 1}
    assert len(choose_records(dataset, 100)) == 15
    assert choose_records(dataset, 0) == ()


def test_a_choice_is_in_order_and_another_seed_chooses_others(dataset: PairDataset) -> None:
    chosen = choose_records(dataset, 6, seed=1)
    assert list(chosen) == sorted(chosen, key=lambda r: (r.photo, r.split, r.sketch.name))
    assert any(choose_records(dataset, 6, seed=seed) != chosen for seed in range(2, 6))


def test_a_sheet_has_four_pairs_per_row(dataset: PairDataset) -> None:
    sizes = [pair_sheet(dataset, dataset.records[:count]).size for count in (1, 3, 4, 5)]
    (one_wide, one_high), (three_wide, _), (four_wide, four_high), (five_wide, five_high) = sizes
    assert one_high == four_high < five_high
    assert one_wide < three_wide < four_wide == five_wide
    assert (three_wide - one_wide) / 2 == four_wide - three_wide
    assert pair_sheet(dataset, ()).size == (one_wide, one_high)
