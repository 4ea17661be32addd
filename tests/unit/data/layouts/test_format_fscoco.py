"""FS-COCO: people are known, the split is by person, sketches are images or strokes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.bundle import StrokesInvalid
from models.data.datasets import FindingKind, ReadOptions, check_content, open_dataset
from models.data.datasets.layouts.fscoco import user_split

Make = Callable[..., Path]

# The first test people of a hundred, written down so that the split can never move unnoticed.
TEST_USERS = ["10", "100", "13", "15", "18"]

# In the upper left quarter: from (0.1, 0.1) to (0.4, 0.1), lifted, and on to a second stroke down to (0.4, 0.3).
POINTS = [
    {"coordinates": ["0.1", "0.1"], "pen_state": ["0", "1", "0"], "timestamp": "0.1"},
    {"coordinates": [0.4, 0.1], "pen_state": [1, 0, 0], "timestamp": 0.2},
    {"coordinates": [0.4, 0.2], "pen_state": [0, 1, 0], "timestamp": 0.9},
    {"coordinates": [0.4, 0.3], "pen_state": [0, 1, 0], "timestamp": 1.0},
]


@pytest.fixture
def fscoco(tmp_path: Path, photo: Make, sketch: Make) -> Path:
    root = tmp_path / "fscoco"
    for user in range(1, 11):
        for scene in (1, 2):
            name = f"{user:06d}{scene:06d}"
            photo(root / "images" / str(user) / f"{name}.jpg")
            sketch(root / "raster_sketches" / str(user) / f"{name}.jpg")
            raw = root / "raw_data" / str(user) / f"{name}.json"
            raw.parent.mkdir(parents=True, exist_ok=True)
            raw.write_text(json.dumps(POINTS))
    (root / "val_unseen_user.txt").write_text("\n".join(f"{user:06d}000001" for user in range(1, 11)))
    return root


def test_no_person_is_on_both_sides(fscoco: Path) -> None:
    dataset = open_dataset(fscoco, strict=True)
    assert dataset.format == "fscoco"
    train, test = ({r.person for r in dataset.split(name).records} for name in ("train", "test"))
    assert (len(train), len(test)) == (7, 3)
    assert not train & test
    assert all(r.sketch.name.split("/")[1] == r.person for r in dataset.records)
    assert all(dataset.photo_of(r).split == r.split for r in dataset.records)


def test_the_split_depends_on_the_names_alone() -> None:
    users = [str(number) for number in range(1, 101)]
    split = user_split(users)
    assert split == user_split(users[::-1])
    assert list(split.values()).count("train") == 70
    assert sorted(user for user, name in split.items() if name == "test")[:5] == TEST_USERS


def test_strokes_keep_their_place_and_their_pen_lifts(fscoco: Path) -> None:
    dataset = open_dataset(fscoco, options=ReadOptions(strokes=True))
    assert len(dataset.records) == 20
    sketch = dataset.records[0].sketch
    strokes = sketch.strokes()
    assert strokes is not None
    assert [len(stroke) for stroke in strokes] == [2, 2]
    rows, columns = np.nonzero(np.asarray(sketch.image().convert("L")) < 128)
    assert (columns.min(), columns.max()) == pytest.approx((25.6, 102.4), abs=3)
    assert (rows.min(), rows.max()) == pytest.approx((25.6, 76.8), abs=3)
    assert not [r for r in open_dataset(fscoco).records if r.sketch.strokes() is not None]


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "{}",
        "[1]",
        '[{"coordinates": [0.1], "pen_state": [0, 1, 0]}]',
        '[{"coordinates": [0.1, 0.2], "pen_state": []}]',
        '[{"coordinates": [0.1, 0.2]}]',
        '[{"coordinates": [1e300, 0.2], "pen_state": [0, 1, 0]}]',
        '[{"coordinates": [1e7, 0.2], "pen_state": [0, 1, 0]}]',
        '[{"coordinates": [0.1, NaN], "pen_state": [0, 1, 0]}]',
        '[{"coordinates": [0.1, 0.2], "pen_state": [Infinity, 1, 0]}]',
        "[" * 100_000,
    ],
    ids=lambda content: content[:40],
)
def test_broken_strokes_are_rejected_and_reported(fscoco: Path, content: str) -> None:
    path = fscoco / "raw_data" / "1" / "000001000001.json"
    path.write_text(content)
    dataset = open_dataset(fscoco, options=ReadOptions(strokes=True))
    sketch = next(r.sketch for r in dataset.records if r.sketch.name.endswith("1/000001000001.json"))
    with pytest.raises(StrokesInvalid):
        sketch.image()
    found = [f for f in check_content(dataset).findings if f.kind is FindingKind.UNREADABLE]
    assert [f.where for f in found] == ["raw_data/1/000001000001.json"]


def test_a_scene_without_its_drawing_is_reported_and_stays(fscoco: Path) -> None:
    (fscoco / "raster_sketches" / "3" / "000003000001.jpg").unlink()
    dataset = open_dataset(fscoco)
    assert [(f.kind, f.where) for f in dataset.flaws] == [(FindingKind.MISSING_FILE, "images/3/000003000001.jpg")]
    assert len(dataset.photos) == 20


def test_one_scene_drawn_by_people_of_both_splits_is_a_leak(fscoco: Path, photo: Make, sketch: Make) -> None:
    dataset = open_dataset(fscoco)
    train = next(r for r in dataset.records if r.split == "train")
    other = next(r.person for r in dataset.records if r.split == "test")
    name = train.photo.photo_id
    photo(fscoco / "images" / other / f"{name}.jpg")
    sketch(fscoco / "raster_sketches" / other / f"{name}.jpg")
    assert FindingKind.SPLIT_LEAK in {f.kind for f in open_dataset(fscoco).flaws}
