"""What a data set in memory answers: splits, galleries, counts, findings, recomputed from the definitions."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from models.data.datasets import (
    Count,
    DatasetFlawed,
    Finding,
    FindingKind,
    ImageSketch,
    LabelledSketch,
    PairDataset,
    Photo,
    PhotoKey,
    SketchRecord,
    SplitMissing,
    summarise,
)

ROOT = Path("set")


def photo(category: str, photo_id: str, split: str = "") -> Photo:
    return Photo(PhotoKey(category, photo_id), ROOT / f"photos/{category}/{photo_id}.jpg", split)


def record(category: str, photo_id: str, split: str, person: str = "", number: int = 0) -> SketchRecord:
    name = f"sketches/{category}/{photo_id}_{person}{number}.png"
    return SketchRecord(ImageSketch(name, ROOT / name), PhotoKey(category, photo_id), split, person)


def labelled(category: str, split: str = "", person: str = "", number: int = 0) -> LabelledSketch:
    name = f"doodles/{category}_{person}{number}.png"
    return LabelledSketch(ImageSketch(name, ROOT / name), category, split, person)


def dataset(
    photos: list[Photo], records: list[SketchRecord], doodles: list[LabelledSketch] | None = None, *findings: Finding
) -> PairDataset:
    return PairDataset(
        name="made",
        format="none",
        root=ROOT,
        records=tuple(records),
        photos=MappingProxyType({item.key: item for item in photos}),
        findings=findings,
        labelled=tuple(doodles or ()),
    )


def random_dataset(seed: int) -> PairDataset:
    """Up to five categories, photos with and without a split, sketches of some of them, a few labelled sketches."""
    rng = np.random.default_rng(seed)
    photos, records, doodles = [], [], []
    for category in "abcde"[: rng.integers(1, 6)]:
        divided = bool(rng.random() < 0.5)
        for number in range(int(rng.integers(1, 5))):
            own = str(rng.choice(["train", "test"])) if divided else ""
            photos.append(photo(category, str(number), own))
            for version in range(int(rng.integers(0, 3)) if category != "e" else 0):
                split = own or str(rng.choice(["train", "test", "val"]))
                records.append(record(category, str(number), split, str(rng.choice(["", "ann", "bob"])), version))
        for number in range(int(rng.integers(0, 3))):
            doodles.append(labelled(category, str(rng.choice(["", "train", "only"])), number=number))
    return dataset(photos, records, doodles)


@pytest.mark.parametrize("seed", range(40))
def test_a_split_is_what_its_definition_says(seed: int) -> None:
    whole = random_dataset(seed)
    for name in whole.splits:
        part = whole.split(name)
        assert list(part.records) == [item for item in whole.records if item.split == name]
        assert list(part.labelled) == [item for item in whole.labelled if item.split in ("", name)]
        for key, item in whole.photos.items():
            of_split = any(r.photo == key and r.split == name for r in whole.records)
            in_category = any(r.photo.category == key.category and r.split == name for r in whole.records)
            undrawn = not any(r.photo.category == key.category for r in whole.records)
            belongs = of_split or item.split == name or (not item.split and (in_category or undrawn))
            assert (key in part.photos) == belongs
        assert all(part.photo_of(item).key == item.photo for item in part.records)
        assert part.findings == whole.findings


@pytest.mark.parametrize("seed", range(40))
def test_counts_are_those_of_a_loop(seed: int) -> None:
    whole = random_dataset(seed)
    expected = {}
    for name in whole.splits or ("",):
        part = whole.split(name) if name else whole
        for category in whole.categories:
            drawn = [item for item in part.records if item.photo.category == category]
            doodles = [item for item in part.labelled if item.category == category]
            count = Count(
                sketches=len(drawn),
                drawn_photos=len({item.photo for item in drawn}),
                photos=sum(key.category == category for key in part.photos),
                people=len(({item.person for item in drawn} | {item.person for item in doodles}) - {""}),
                labelled=len(doodles),
            )
            if count.photos or count.labelled:
                expected[name, category] = count
    assert whole.counts() == expected
    assert list(whole.counts()) == list(expected)
    assert whole.image_count == len(whole.photos) + len(whole.records) + len(whole.labelled)


def test_splits_begin_with_train_and_follow_by_name() -> None:
    photos = [photo("a", str(n), split) for n, split in enumerate(("val", "train_b", "test", "", "train"))]
    assert dataset(photos, []).splits == ("train", "train_b", "test", "val")
    assert dataset([], [], [labelled("a", "only")]).splits == ("only",)


def test_a_split_that_is_missing_names_the_others() -> None:
    undivided = dataset([photo("a", "1")], [record("a", "1", "")])
    with pytest.raises(SplitMissing, match="made has no split 'train'; `inkseek data split` makes some"):
        undivided.split("train")
    with pytest.raises(SplitMissing, match="no sketches of a split 'train'; it has no split"):
        undivided.records_of("train")
    divided = dataset([photo("a", "1"), photo("a", "2")], [record("a", "1", "val"), record("a", "2", "test")])
    with pytest.raises(SplitMissing, match="no sketches of a split 'train'; it has test, val"):
        divided.records_of("train")
    assert [item.photo.photo_id for item in divided.records_of("val")] == ["1"]


def test_categories_and_people_are_those_of_all_sketches() -> None:
    whole = dataset(
        [photo("cup", "1"), photo("lamp", "1")],
        [record("cup", "1", "train", "ann")],
        [labelled("owl", person="bob"), labelled("cup")],
    )
    assert whole.categories == ("cup", "lamp", "owl")
    assert whole.people == {"ann", "bob"}
    assert whole.sketches == (*whole.records, *whole.labelled)


@pytest.mark.parametrize(
    ("records", "doodles", "headline"),
    [
        ([], [], "made (none): no sketches, 1 photos in all, 1 category"),
        ([record("a", "1", "")], [], "made (none): 1 sketches of 1 photos, 1 photos in all, 1 category"),
        ([], [labelled("b")], "made (none): 1 sketches without a photo, 1 photos in all, 2 categories"),
        (
            [record("a", "1", ""), record("a", "1", "", "ann")],
            [labelled("a")],
            "made (none): 2 sketches of 1 photos, 1 sketches without a photo, 1 photos in all, 1 category",
        ),
    ],
)
def test_the_headline_leaves_out_what_there_is_none_of(
    records: list[SketchRecord], doodles: list[LabelledSketch], headline: str
) -> None:
    whole = dataset([photo("a", "1")], records, doodles)
    assert whole.headline == headline
    assert whole.summary() == headline


def test_the_summary_sums_over_categories() -> None:
    photos = [photo("a", "1", "train"), photo("b", "1", "train"), photo("b", "2", "val")]
    records = [record("a", "1", "train"), record("b", "1", "train", "ann"), record("b", "1", "train", "bob")]
    findings = [Finding(FindingKind.NO_INK, "x", "y"), Finding(FindingKind.MARKED, "z", "y")]
    lines = dataset(photos, records, [labelled("a", "val")], *findings).summary().splitlines()
    assert lines[1:] == [
        "  train: 3 sketches of 2 photos, 2 photos in its gallery",
        "  val: 1 sketches without a photo, 1 photos in its gallery",
        "  findings: 1 no_ink, 1 marked",
    ]


def test_unusable_photos_take_their_sketches_along() -> None:
    photos = [photo("a", "1"), photo("a", "2")]
    records = [record("a", "1", "train"), record("a", "2", "train"), record("a", "2", "train", "ann")]
    doodles = [labelled("a", number=1), labelled("a", number=2)]
    whole = dataset(photos, records, doodles).with_findings(
        [
            Finding(FindingKind.UNREADABLE, "photos/a/1.jpg", "broken"),
            Finding(FindingKind.NO_INK, "sketches/a/2_ann0.png", "empty"),
            Finding(FindingKind.NO_INK, "doodles/a_2.png", "empty"),
            Finding(FindingKind.DUPLICATE_CONTENT, "sketches/a/2_0.png", "a copy, and usable"),
        ]
    )
    usable = whole.usable()
    assert [item.sketch.name for item in usable.records] == ["sketches/a/2_0.png"]
    assert [item.sketch.name for item in usable.labelled] == ["doodles/a_1.png"]
    assert list(usable.photos) == [PhotoKey("a", "2")]
    assert usable.findings == whole.findings
    assert whole.records == tuple(records)  # nothing is written into an argument


def test_findings_are_sorted_and_each_is_there_once() -> None:
    first = Finding(FindingKind.NO_INK, "b", "")
    second = Finding(FindingKind.BAD_NAME, "c", "")
    whole = dataset([photo("a", "1")], []).with_findings([first, second, first]).with_findings([second])
    assert whole.findings == (second, first)
    assert summarise([first, second, first]) == "2 no_ink, 1 bad_name"


@pytest.mark.parametrize("kind", list(FindingKind))
def test_only_what_the_set_says_of_itself_is_no_flaw(kind: FindingKind) -> None:
    whole = dataset([photo("a", "1")], [], [], Finding(kind, "x", "why"))
    if kind in (FindingKind.MARKED, FindingKind.SHARED_SKETCH):
        whole.require_flawless()
        assert whole.flaws == ()
    else:
        with pytest.raises(DatasetFlawed, match=f"made: 1 {kind}; the first is x: why"):
            whole.require_flawless()


def test_attributes_are_no_part_of_an_identity() -> None:
    one = photo("a", "1")
    named = dataclasses.replace(one, attributes={"name": "cup"})
    assert named == one
    assert hash(named) == hash(one)
    drawn = record("a", "1", "train")
    assert dataclasses.replace(drawn, attributes={"condition": "closer"}) in {drawn}
