"""Splits of one's own pairs: no photo on both sides, every category in each, the same ones each time."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.data.builders.splits import SplitsInvalid, deal, write_splits
from models.data.datasets import open_dataset


def own_pairs(folder: Path, photos: dict[str, int], sketches_each: int = 2) -> Path:
    lines = ["sketch_path,photo_path,category,photo_id,note"]
    for category, count in photos.items():
        for number in range(count):
            photo = f"{category}{number}.png"
            (folder / photo).write_bytes(f"{category} {number}".encode())
            for drawn in range(sketches_each):
                (folder / f"s{drawn}_{photo}").write_bytes(b"sketch")
                lines.append(f's{drawn}_{photo},{photo},{category},{number},"a, b"')
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return folder


def rows_of(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def test_all_sketches_of_a_photo_and_of_its_copies_share_a_split(tmp_path: Path) -> None:
    own_pairs(tmp_path, {"lamp": 10, "cup": 7})
    (tmp_path / "lamp9.png").write_bytes((tmp_path / "lamp0.png").read_bytes())
    counts = write_splits(tmp_path, {"train": 0.8, "val": 0.2})
    rows = rows_of(tmp_path / "manifest.csv")
    splits = defaultdict(set)
    for row in rows:
        splits[(tmp_path / row["photo_path"]).read_bytes()].add(row["split"])
    assert all(len(names) == 1 for names in splits.values())
    assert counts == {name: sum(row["split"] == name for row in rows) for name in ("train", "val")}
    assert {(row["category"], row["split"]) for row in rows} == {
        (category, split) for category in ("lamp", "cup") for split in ("train", "val")
    }
    assert rows[0]["note"] == "a, b"
    dataset = open_dataset(tmp_path)
    assert dataset.splits == ("train", "val")
    assert len(dataset.split("val").records) == counts["val"]


def test_the_gallery_follows_and_photos_that_nobody_drew_stay_in_each(tmp_path: Path) -> None:
    own_pairs(tmp_path, {"lamp": 4})
    (tmp_path / "more.png").write_bytes(b"more")
    rows = [*(f"lamp{number}.png,lamp,{number}" for number in range(4)), "more.png,lamp,more"]
    (tmp_path / "photos.csv").write_text("\n".join(["photo_path,category,photo_id", *rows]) + "\n")
    write_splits(tmp_path, {"train": 3, "val": 1})
    of_photo = {row["photo_id"]: row["split"] for row in rows_of(tmp_path / "photos.csv")}
    assert of_photo.pop("more") == ""
    assert of_photo == {row["photo_id"]: row["split"] for row in rows_of(tmp_path / "manifest.csv")}


def test_the_same_seed_gives_the_same_splits_and_another_others(tmp_path: Path) -> None:
    own_pairs(tmp_path, {"lamp": 20})
    written = []
    for seed in (1, 1, 2):
        write_splits(tmp_path, {"train": 1, "val": 1}, seed=seed, again=True)
        written.append((tmp_path / "manifest.csv").read_text())
    assert written[0] == written[1] != written[2]


@pytest.mark.parametrize("shares", [{}, {"train": 0.0}, {"train": -1.0, "val": 1.0}, {"": 1.0}])
def test_what_are_no_shares_is_rejected(tmp_path: Path, shares: dict[str, float]) -> None:
    own_pairs(tmp_path, {"lamp": 4})
    with pytest.raises(SplitsInvalid, match=r"train=0\.8"):
        write_splits(tmp_path, shares)


def test_nothing_is_overwritten_unasked_or_half_done(tmp_path: Path) -> None:
    own_pairs(tmp_path, {"lamp": 1})
    before = (tmp_path / "manifest.csv").read_text()
    with pytest.raises(SplitsInvalid, match="enough photos"):
        write_splits(tmp_path, {"train": 1, "val": 1})
    assert (tmp_path / "manifest.csv").read_text() == before
    own_pairs(tmp_path, {"lamp": 2})
    write_splits(tmp_path, {"train": 1, "val": 1})
    with pytest.raises(SplitsInvalid, match="--again"):
        write_splits(tmp_path, {"train": 1, "val": 1})


@given(
    count=st.integers(0, 50),
    shares=st.dictionaries(st.sampled_from("abcd"), st.floats(0.01, 10), min_size=1),
)
def test_dealing_is_exact_to_one_and_leaves_none_out(count: int, shares: dict[str, float]) -> None:
    dealt = deal(count, shares)
    assert len(dealt) == count
    if count >= len(shares):
        assert set(dealt) == set(shares)
    total = sum(shares.values())
    for split, share in shares.items():
        assert dealt.count(split) <= max(1, count * share / total + 1)
