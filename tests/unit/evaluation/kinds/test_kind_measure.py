"""Searching for kinds against a loop from the definition, one drawing and one photo at a time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from models.bundle import Bundle, rasterise_strokes
from models.data.datasets import PairDataset, Photo, PhotoKey, open_dataset, read_photos
from models.evaluation.errors import NothingToEvaluate, SplitNotChosen
from models.evaluation.intervals import bootstrap
from models.evaluation.kinds.measure import KindEvaluation, chance_of_right, evaluate_kinds, kind_task
from models.ranking import TIE

KINDS = {"bar": (10, 110, 240, 140), "box": (20, 20, 230, 230), "pole": (110, 10, 140, 240), "flat": (10, 80, 240, 180)}


def rectangle(box: Sequence[int]) -> list[list[list[int]]]:
    left, top, right, bottom = box
    return [[[left, right, right, left, left], [top, top, bottom, bottom, top]]]


@pytest.fixture
def doodles(tmp_path: Path) -> PairDataset:
    """Four drawings each of five kinds: of `val`, two have pictures and one has none; `train` has two."""
    random = np.random.default_rng(0)
    root = tmp_path / "doodles"
    (root / "strokes").mkdir(parents=True)
    for kind, box in {**KINDS, "ghost": (0, 0, 9, 9)}.items():
        lines = []
        for _ in range(4):
            moved = [int(np.clip(side + random.integers(-45, 46), 0, 255)) for side in box]
            lines.append(json.dumps({"word": kind, "drawing": rectangle(moved)}))
        (root / "strokes" / f"{kind}.ndjson").write_text("\n".join(lines) + "\n")
    table = ["bar,val,a bar|the bar", "box,val,box", "flat,train,flat", "ghost,val,", "pole,train,pole"]
    (root / "kinds.csv").write_text("\n".join(["kind,split,accepted_names", *table]) + "\n")
    return open_dataset(root)


@pytest.fixture
def photos(tmp_path: Path) -> tuple[Photo, ...]:
    """Fourteen pictures: three bars under two names, two boxes, one of each other kind, and seven of nothing named."""
    names = ["a bar", "the bar", "a bar", "box", "box", "flat", "pole", *["thing"] * 7]
    random = np.random.default_rng(1)
    rows = []
    for number, name in enumerate(names):
        box = KINDS.get({"a bar": "bar", "the bar": "bar"}.get(name, name), (30, 60, 200, 220))
        moved = [int(np.clip(side + random.integers(-30, 31), 0, 255)) for side in box]
        image = Image.new("RGB", (256, 256), "white")
        corners = (*np.minimum(moved[:2], moved[2:]), *np.maximum(moved[:2], moved[2:]))
        ImageDraw.Draw(image).rectangle(corners, outline="black", width=9)
        image.save(tmp_path / f"{number}.png")
        rows.append(f"{number}.png,things,{name}")
    (tmp_path / "manifest.csv").write_text("\n".join(["photo_path,category,name", *rows]) + "\n")
    return read_photos(tmp_path / "manifest.csv")


@pytest.fixture
def bundle(tiny_bundle_dir: Path) -> Bundle:
    return Bundle.load(tiny_bundle_dir)


def naive_ranks(bundle: Bundle, found: KindEvaluation, accepted: dict[str, set[str]]) -> list[int]:
    """One more than the wrong pictures that are as good as the best right one."""
    vectors = []
    for photo in found.task.photos:
        with Image.open(photo.path) as image:
            vectors.append(bundle.photo.encode(bundle.photo.prepare(image.convert("RGB"))[None])[0].astype(float))
    ranks = []
    for drawing in found.task.drawings:
        drawn = rasterise_strokes(drawing.sketch.strokes() or ())
        query = bundle.sketch.encode(bundle.sketch.prepare(drawn)[None])[0].astype(float)
        right: list[float] = []
        wrong: list[float] = []
        for photo, vector in zip(found.task.photos, vectors, strict=True):
            (right if photo.attributes["name"] in accepted[drawing.category] else wrong).append(float(query @ vector))
        ranks.append(1 + sum(score >= max(right) - TIE for score in wrong))
    return ranks


def test_ranks_and_shares_are_those_of_a_loop(bundle: Bundle, doodles: PairDataset, photos: tuple[Photo, ...]) -> None:
    seen: list[int] = []
    task = kind_task(doodles, photos, "val")
    found = evaluate_kinds(bundle, task, progress=seen.append)
    ranks = naive_ranks(bundle, found, {"bar": {"a bar", "the bar"}, "box": {"box"}})
    assert found.ranks.tolist() == ranks
    assert min(ranks) == 1
    assert len(set(ranks)) > 2  # neither hopeless nor all found
    assert sum(seen) == task.image_count == 8 + 14
    assert task.without_picture == ("ghost",)
    for share in found.shares:
        hits = [rank <= share.k for rank in ranks]
        assert share.share == pytest.approx(sum(hits) / 8)
        kinds = np.array([0] * 4 + [1] * 4)
        assert (share.interval,) == bootstrap(np.array(hits, dtype=float)[:, None], kinds)
        for result in found.kinds:
            own = [hit for hit, drawing in zip(hits, task.drawings, strict=True) if drawing.category == result.kind]
            assert result.shares[share.k] == pytest.approx(sum(own) / 4)
    assert {result.kind: (result.drawings, result.right_photos) for result in found.kinds} == {
        "bar": (4, 3),
        "box": (4, 2),
    }
    in_ten = [result.shares[10] for result in found.kinds]
    assert in_ten == sorted(in_ten, reverse=True)


def test_chance_level_is_the_mean_over_all_orders() -> None:
    for right, count, k in ((1, 5, 1), (2, 5, 2), (3, 6, 2), (5, 5, 1), (2, 4, 9), (0, 4, 2)):
        shows = [number < right for number in range(count)]
        found = [any(order[:k]) for order in permutations(shows)]
        assert chance_of_right(right, count, k) == pytest.approx(sum(found) / len(found))


def test_the_chance_level_weighs_kinds_by_their_drawings(
    bundle: Bundle, doodles: PairDataset, photos: tuple[Photo, ...]
) -> None:
    found = evaluate_kinds(bundle, kind_task(doodles, photos, "val"))
    assert found.shares[0].chance == pytest.approx((4 * 3 / 14 + 4 * 2 / 14) / 8)


def test_a_range_takes_the_same_drawings_of_each_kind(doodles: PairDataset, photos: tuple[Photo, ...]) -> None:
    task = kind_task(doodles, photos, "val", slice(1, 3))
    assert [drawing.sketch.name for drawing in task.drawings] == [
        f"strokes/{kind}.ndjson:{line}" for kind in ("bar", "box") for line in (2, 3)
    ]


def test_images_without_an_embedding_are_never_found(
    bundle: Bundle, doodles: PairDataset, photos: tuple[Photo, ...], tmp_path: Path
) -> None:
    (tmp_path / "doodles" / "strokes" / "bar.ndjson").write_text('{"drawing": []}\n')
    for number in (3, 4):
        (tmp_path / f"{number}.png").write_bytes(b"no image")
    found = evaluate_kinds(bundle, kind_task(open_dataset(tmp_path / "doodles"), photos, "val"))
    assert sorted(found.unusable_photos) == [3, 4]
    assert list(found.unusable_drawings) == [0]
    # The broken bar is behind all eleven wrong pictures, the boxes behind all twelve.
    assert found.ranks.tolist() == [12, 13, 13, 13, 13]


def test_a_set_without_accepted_names_goes_by_the_kind_s_own(photos: tuple[Photo, ...], tmp_path: Path) -> None:
    line = json.dumps({"drawing": rectangle((1, 1, 90, 90))})
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "a_bar.ndjson").write_text(line + "\n")
    task = kind_task(open_dataset(tmp_path / "own"), photos)
    assert np.flatnonzero(task.right["a_bar"]).tolist() == [0, 2]


def test_what_cannot_be_measured_says_why(doodles: PairDataset, photos: tuple[Photo, ...]) -> None:
    with pytest.raises(SplitNotChosen, match="train, val"):
        kind_task(doodles, photos)
    unnamed = [Photo(PhotoKey("things", "0"), Path("0.png"))]
    with pytest.raises(NothingToEvaluate, match="of its 3 kinds, 0 have a picture among the 1 photos"):
        kind_task(doodles, unnamed, "val")
    with pytest.raises(NothingToEvaluate):
        kind_task(doodles, photos, "val", slice(4, 9))
