"""Sets with kinds: which photos and drawings are taken, and that each row of the images has the kinds of its source."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.bundle import SketchNormalisation, normalise_sketch, rasterise_strokes
from models.data.datasets import DatasetNotFound
from models.data.images.decoded_sets import Unusable
from models.data.images.kind_sets import KindSet, KindSetConfig, KindTable, open_kind_sets
from models.data.images.training_images import prepare_sets
from models.data.kinds.kind_book import KindBook, KindsConfig

Make = Callable[..., Path]


@pytest.fixture
def data(tmp_path: Path, photo: Make, sketch: Make) -> Path:
    """Pairs of cups and drums (train and val), photos of mugs, named pictures, five doodles of each of three kinds."""
    pairs = ["sketch_path,photo_path,category,photo_id,split"]
    for category, split in (("cup", "train"), ("cup", "val"), ("drum", "train")):
        stem = f"{category}_{split}"
        photo(tmp_path / f"pairs/photos/{stem}.png")
        sketch(tmp_path / f"pairs/sketches/{stem}.png")
        pairs.append(f"sketches/{stem}.png,photos/{stem}.png,{category},{stem},{split}")
    (tmp_path / "pairs/manifest.csv").write_text("\n".join(pairs) + "\n")
    named = ["photo_path,category,photo_id,name"]
    for number, name in enumerate(("Tea Mug", "a palm tree", "kettle")):
        photo(tmp_path / f"named/photos/{number}.png")
        named.append(f"photos/{number}.png,all,{number},{name}")
    (tmp_path / "named/photos.csv").write_text("\n".join(named) + "\n")
    for kind in ("cup", "drum", "mug"):
        lines = [{"drawing": [[[0, 10 * number + 10], [0, 90]]]} for number in range(5)]
        path = tmp_path / f"doodles/strokes/{kind}.ndjson"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "kinds.csv").write_text("kind,split,accepted_names\ncup,train,tea mug\nmug,train,\ndrum,val,drum\n")
    return tmp_path


def opened(data: Path, *sets: dict[str, object], also: tuple[str, ...] = (), **kinds: object) -> tuple[KindSet, ...]:
    book = KindBook.load(data, KindsConfig.model_validate({"table": "kinds.csv", **kinds}))
    return open_kind_sets(data, [KindSetConfig.model_validate(each) for each in sets], book, lambda line: None, also)


PAIRS = {"folder": "pairs", "pool": "pairs", "drawings": 1}
NAMED = {"folder": "named", "pool": "named", "split": "", "kinds": "name", "need_kind": True, "synthetic": False}
DOODLES = {"folder": "doodles", "pool": "doodles", "split": "", "kinds": "doodle", "labelled": True}


def test_splits_and_kinds_kept_aside_are_learned_only_where_that_is_said(data: Path) -> None:
    (pairs,) = opened(data, PAIRS)
    assert [photo.key.photo_id for photo in pairs.training.photos] == ["cup_train", "drum_train"]
    assert pairs.photo_kinds == (("cup",), ())  # a validation kind: still a pair, no kind
    (everything,) = opened(data, PAIRS, also=("val",), learn_val=True)
    assert everything.photo_kinds == (("cup",), ("cup",), ("drum",))
    assert everything.sketch_kinds == (("cup",), ("cup",), ("drum",))
    (named,) = opened(data, NAMED)
    assert named.photo_kinds == (("cup",), ("kettle",))  # the palm tree is a tree


def test_doodles_are_chosen_by_number_and_measured_kinds_hold_some_back(data: Path) -> None:
    (doodles,) = opened(data, {**DOODLES, "held": [3, 5]})
    names = [item.sketch.name for item in doodles.training.labelled]
    assert names == [*(f"strokes/cup.ndjson:{n}" for n in (1, 2, 3)), *(f"strokes/mug.ndjson:{n}" for n in range(1, 6))]
    (later,) = opened(data, {**DOODLES, "numbers": [2, 4]})
    assert [item.sketch.name[-1] for item in later.training.labelled] == ["3", "4", "3", "4"]


def test_rows_of_the_table_are_the_rows_of_the_images(data: Path, tmp_path: Path) -> None:
    sets = opened(data, PAIRS, NAMED, DOODLES)
    table = KindTable.of(sets)
    images = prepare_sets(
        [each.training for each in sets], 32, tmp_path / "cache", lambda line: None, SketchNormalisation(min_extent=0.2)
    )
    assert (len(images.photos), len(images.sketches)) == (len(table.photos), len(table.sketches)) == (4, 2 + 2 + 10)
    assert table.kinds == ("cup", "kettle", "mug")
    assert table.sketch_sets == ("pairs", "pairs", "", "", *["doodles"] * 10)
    assert table.photo_kind.tolist() == [0, -1, 0, 1]
    assert [kinds[0] if kinds else -1 for kinds in table.sketches] == [0, -1, 0, -1, *[0] * 5, *[2] * 5]
    assert table.rows.sketches == {0: {"pairs": [0], "doodles": [4, 5, 6, 7, 8]}, 2: {"doodles": [9, 10, 11, 12, 13]}}
    assert table.rows.photos == {0: {"pairs": [0], "named": [2]}, 1: {"named": [3]}}
    # The doodle fills the canvas as the product's own drawings do, and not a corner of its 256 x 256.
    framed = normalise_sketch(rasterise_strokes([[(0, 0), (30, 90)]]), SketchNormalisation(min_extent=0.2))
    seen = np.asarray(framed.resize((32, 32), 2)).astype(int)
    assert np.abs(images.sketches[6].astype(int) - seen).mean() < 12


def test_an_unusable_image_teaches_no_kind(data: Path) -> None:
    table = KindTable.of(opened(data, PAIRS, NAMED, DOODLES))
    bad = (Unusable("sketch", 4, "a doodle", "empty"), Unusable("photo", 2, "a photo", "broken"))
    left = table.without(bad)
    assert left.rows.sketches[0] == {"pairs": [0], "doodles": [5, 6, 7, 8]}
    assert left.rows.photos == {0: {"pairs": [0]}, 1: {"named": [3]}}
    assert left.photo_kind.tolist() == [0, -1, -1, 1]


def test_an_optional_set_may_be_missing(data: Path) -> None:
    lines: list[str] = []
    sets = [KindSetConfig.model_validate(each) for each in (PAIRS, {**PAIRS, "folder": "nowhere", "optional": True})]
    book = KindBook.load(data, KindsConfig(table="kinds.csv"))
    assert len(open_kind_sets(data, sets, book, lines.append)) == 1
    assert lines[0].startswith("nowhere is not below")
    with pytest.raises(DatasetNotFound):
        open_kind_sets(data, [sets[0], sets[1].model_copy(update={"optional": False})], book, lines.append)


def test_kinds_that_one_picture_has_are_compatible(data: Path) -> None:
    (data / "kinds.csv").write_text("kind,split,accepted_names\ncup,train,tea mug\nmug,train,Tea Mug\ndrum,val,\n")
    table = KindTable.of(opened(data, NAMED, DOODLES))
    cup, kettle, mug = (table.kinds.index(kind) for kind in ("cup", "kettle", "mug"))
    assert table.compatible[cup, mug]
    assert table.compatible[mug, cup]
    assert table.compatible.sum() == 2
    assert not table.compatible[kettle].any()
