"""Every figure against a loop from its definition, one image at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from models.bundle import Bundle, Purpose
from models.data.datasets import PairDataset, PhotoKey, SplitMissing, open_dataset
from models.evaluation.dataset_evaluation import Evaluation, chosen_splits, evaluate_split
from models.evaluation.embeddings import embed_photos, embed_sketches
from models.evaluation.errors import EmbeddingsNotFinite, NothingToEvaluate, SplitNotChosen
from models.evaluation.intervals import bootstrap
from models.evaluation.protocol import Figures, category_galleries, measure_both
from models.evaluation.rankings import Protocol, Scoring
from models.ranking import TIE


def naive_ranks(bundle: Bundle, dataset: PairDataset, protocol: Protocol, centred: bool = False) -> list[int]:
    """How many photos are as good as the right one, it included. Centred: by cosine to the shrunken category mean."""
    vectors = {}
    for key, photo in dataset.photos.items():
        with Image.open(photo.path) as image:
            vectors[key] = bundle.photo.encode(bundle.photo.prepare(image.convert("RGB"))[None])[0].astype(float)
    ranks = []
    for record in dataset.records:
        seen = bundle.sketch.prepare(record.sketch.image(), Purpose(in_detail=protocol is Protocol.CATEGORY))
        asked = bundle.sketch.encode(seen[None])[0].astype(float)
        searched = {
            key: vector
            for key, vector in vectors.items()
            if protocol is Protocol.GALLERY or key.category == record.photo.category
        }
        mean = sum(searched.values()) / (len(searched) + 4) if centred else np.zeros(len(asked))

        def cosine(vector: NDArray[np.float64], asked: NDArray[np.float64] = asked - mean) -> float:
            return float(sum(asked * vector) / (sum(asked**2) * sum(vector**2)) ** 0.5)

        scores = {key: cosine(vector - mean) for key, vector in searched.items()}
        tie = 10 * TIE if centred else TIE  # the head's scale is another; only true copies are that near
        ranks.append(sum(score >= scores[record.photo] - tie for score in scores.values()))
    return ranks


def check(figures: Figures, ranks: list[int]) -> None:
    count = len(ranks)
    assert figures.queries == count
    assert figures.acc_at_1 == pytest.approx(sum(rank == 1 for rank in ranks) / count)
    assert figures.acc_at_5 == pytest.approx(sum(rank <= 5 for rank in ranks) / count)
    assert figures.acc_at_10 == pytest.approx(sum(rank <= 10 for rank in ranks) / count)
    assert figures.mean_average_precision == pytest.approx(sum(1 / rank for rank in ranks) / count)
    assert figures.mean_rank == pytest.approx(sum(ranks) / count)


@pytest.fixture
def val(pairs_dir: Path) -> PairDataset:
    return open_dataset(pairs_dir, strict=True).split("val")


@pytest.fixture
def bundle(tiny_bundle_dir: Path) -> Bundle:
    return Bundle.load(tiny_bundle_dir)


@pytest.mark.parametrize("protocol", Protocol)
def test_figures_are_what_a_loop_finds(bundle: Bundle, val: PairDataset, protocol: Protocol) -> None:
    seen: list[int] = []
    found = evaluate_split(bundle, val, "val", protocol=protocol, progress=seen.append)
    scorings = {Scoring.PLAIN, Scoring.CENTRED} if protocol is Protocol.CATEGORY else {Scoring.PLAIN}
    assert set(found.scored) == scorings
    for scoring, scored in found.scored.items():
        ranks = naive_ranks(bundle, val, protocol, scoring is Scoring.CENTRED)
        assert len(set(ranks)) > 3  # neither hopeless nor all found
        assert scored.rankings.ranks.tolist() == ranks
        check(scored.overall.figures, ranks)
        assert sorted(scored.categories) == ["<i>mug</i>", "lamp"]
        for name, measured in scored.categories.items():
            check(
                measured.figures,
                [rank for rank, record in zip(ranks, val.records, strict=True) if record.photo.category == name],
            )
    assert sum(seen) == len(val.photos) + len(val.records)


def test_what_is_searched_is_counted(bundle: Bundle, val: PairDataset) -> None:
    together = evaluate_split(bundle, val, protocol=Protocol.GALLERY)
    apart = evaluate_split(bundle, val, protocol=Protocol.CATEGORY)
    assert (together.served.overall.figures.photos, apart.served.overall.figures.photos) == (12, 12)
    assert {name: measured.figures.photos for name, measured in together.served.categories.items()} == {
        "lamp": 12,
        "<i>mug</i>": 12,
    }
    assert {name: measured.figures.photos for name, measured in apart.served.categories.items()} == {
        "lamp": 7,
        "<i>mug</i>": 5,
    }
    assert together.chance_at_1 == pytest.approx(1 / 12)
    lamps = apart.served.categories["lamp"].figures.queries
    mugs = apart.served.categories["<i>mug</i>"].figures.queries
    assert apart.chance_at_1 == pytest.approx((lamps / 7 + mugs / 5) / (lamps + mugs))


def test_a_first_photo_of_the_category_is_counted_whichever_of_its_photos_it_is(
    bundle: Bundle, val: PairDataset
) -> None:
    found = evaluate_split(bundle, val, protocol=Protocol.GALLERY, seed=2)
    keys = list(val.photos)
    photos = embed_photos(bundle, tuple(val.photos.values())).vectors.astype(float)
    hits = []
    for record, sketch in zip(val.records, embed_sketches(bundle, val.records).vectors.astype(float), strict=True):
        scores = photos @ sketch
        best = {
            alike: max(
                s for s, key in zip(scores, keys, strict=True) if (key.category == record.photo.category) is alike
            )
            for alike in (True, False)
        }
        hits.append(float(best[True] > best[False] + TIE))
    share = found.category_first
    assert share is not None
    assert share.value == pytest.approx(sum(hits) / len(hits))
    assert found.served.overall.figures.acc_at_1 < share.value < 1
    assert (share.interval,) == bootstrap(np.array(hits)[:, None], found.photo_numbers, 2)
    assert evaluate_split(bundle, val, protocol=Protocol.CATEGORY).category_first is None


@pytest.mark.parametrize("protocol", Protocol)
def test_both_ways_round_a_photo_counts_by_its_better_cosine(
    parted_bundle_dir: Path, val: PairDataset, protocol: Protocol
) -> None:
    bundle = Bundle.load(parted_bundle_dir)
    assert bundle.parts is not None
    cut = bundle.parts.layout_dim if protocol is Protocol.CATEGORY else None

    def encoded(image: Image.Image, modality: str) -> NDArray[np.float64]:
        encoder = bundle.sketch if modality == "sketch" else bundle.photo
        seen = encoder.prepare(image, Purpose(in_detail=protocol is Protocol.CATEGORY))
        vector = encoder.encode(seen[None])[0, :cut].astype(float)
        unit: NDArray[np.float64] = vector / np.linalg.norm(vector)
        return unit

    photos = {key: encoded(Image.open(photo.path).convert("RGB"), "photo") for key, photo in val.photos.items()}
    ranks = []
    for record in val.records:
        image = record.sketch.image()
        ways = [encoded(image, "sketch"), encoded(ImageOps.mirror(image), "sketch")]
        scores = {
            key: max(float(way @ vector) for way in ways)
            for key, vector in photos.items()
            if protocol is Protocol.GALLERY or key.category == record.photo.category
        }
        ranks.append(sum(score >= scores[record.photo] - TIE for score in scores.values()))
    found = evaluate_split(bundle, val, protocol=protocol, mirror=True).scored[Scoring.PLAIN].rankings.ranks
    assert found.tolist() == ranks
    assert (
        found.tolist() != evaluate_split(bundle, val, protocol=protocol).scored[Scoring.PLAIN].rankings.ranks.tolist()
    )


def test_within_categories_it_agrees_with_the_figures_of_training(bundle: Bundle, val: PairDataset) -> None:
    """`measure` is what early stopping and the ablation go by."""
    found = evaluate_split(bundle, val, protocol=Protocol.CATEGORY)
    records = {record.sketch.name: row for row, record in enumerate(val.records)}
    vectors = embed_sketches(bundle, val.records, purposes=[Purpose(in_detail=True)] * len(val.records)).vectors
    other = measure_both(
        category_galleries(val, "val"),
        lambda queries: vectors[[records[query.sketch.name] for query in queries]],
        lambda photos: bundle.photo.encode(np.stack([bundle.photo.prepare(Image.open(p.path)) for p in photos])),
    )
    assert found.plain is not None
    for trained, evaluated in ((other.plain, found.plain), (other.centred, found.served)):
        figures = evaluated.overall.figures
        assert (trained.queries, trained.photos) == (figures.queries, figures.photos)
        assert trained.acc_at_10 == figures.acc_at_10
        assert trained.mean_rank == pytest.approx(figures.mean_rank, abs=0.2)  # this one has no tolerance for ties


def test_the_curve_goes_through_the_figures(bundle: Bundle, val: PairDataset) -> None:
    found = evaluate_split(bundle, val)
    curve = {point.k: point for point in found.served.curve}
    assert list(curve) == list(range(1, 21))
    figures, intervals = found.served.overall.figures, found.served.overall.intervals
    assert intervals is not None
    for k, name in ((1, "acc_at_1"), (5, "acc_at_5"), (10, "acc_at_10")):
        assert curve[k].share == getattr(figures, name)
        assert curve[k].interval == intervals[name]


def test_of_a_photo_and_its_copies_none_is_found_first(bundle: Bundle, val: PairDataset) -> None:
    found = evaluate_split(bundle, val)
    copied = [row for row, record in enumerate(val.records) if record.photo == PhotoKey("lamp", "0")]
    assert copied
    for row in copied:
        rank = int(found.served.rankings.ranks[row])
        assert rank >= 3
        shown = [found.photos[photo].key for photo in found.served.rankings.first[row].tolist() if photo >= 0]
        assert shown.index(PhotoKey("lamp", "0")) == rank - 1
        assert {shown[rank - 2].photo_id, shown[rank - 3].photo_id} == {"5", "6"}


def test_shown_photos_are_the_best_in_order(bundle: Bundle, val: PairDataset) -> None:
    found = evaluate_split(bundle, val, protocol=Protocol.CATEGORY)
    for row, record in enumerate(val.records):
        photos = [photo for photo in found.served.rankings.first[row].tolist() if photo >= 0]
        assert len(photos) == len(set(photos)) == int(found.served.rankings.searched[row])
        assert {found.photos[photo].key.category for photo in photos} == {record.photo.category}
        scores = found.served.rankings.scores[row, : len(photos)]
        assert (np.diff(scores) <= TIE).all()
        assert found.photos[photos[int(found.served.rankings.ranks[row]) - 1]].key == record.photo


def test_what_cannot_be_encoded_is_last_and_named(pairs_dir: Path, bundle: Bundle) -> None:
    Image.new("L", (64, 64), 255).save(pairs_dir / "sketches/lamp/1_0.png")
    (pairs_dir / "photos/mug/2.png").write_bytes(b"broken")
    val = open_dataset(pairs_dir).split("val")
    found = evaluate_split(bundle, val)
    blank = next(row for row, record in enumerate(val.records) if record.sketch.name.endswith("lamp/1_0.png"))
    assert list(found.unusable_sketches) == [blank]
    assert "empty" in found.unusable_sketches[blank]
    assert found.served.rankings.ranks[blank] == 12
    assert set(found.served.rankings.first[blank].tolist()) == {-1}
    (broken,) = found.unusable_photos
    assert found.photos[broken].key == PhotoKey("<i>mug</i>", "2")
    assert broken not in found.served.rankings.first
    orphans = [row for row, record in enumerate(val.records) if record.photo == found.photos[broken].key]
    assert orphans
    assert set(found.served.rankings.ranks[orphans].tolist()) == {12}


def test_numbers_that_are_none_give_no_figures(val: PairDataset, bundle: Bundle) -> None:
    class Broken:
        embedding_dim = 2
        preprocess = bundle.sketch.preprocess
        prepare = bundle.sketch.prepare

        def encode(self, batch: object) -> object:
            return np.full((len(batch), 2), np.nan, np.float32)  # type: ignore[arg-type]

    sick = Bundle(bundle.path, bundle.manifest, Broken(), bundle.photo)  # type: ignore[arg-type]
    with pytest.raises(EmbeddingsNotFinite, match="sketch encoder"):
        embed_sketches(sick, val.records)


def test_nothing_is_measured_on_pairs_that_were_not_asked_for(pairs_dir: Path) -> None:
    dataset = open_dataset(pairs_dir)
    with pytest.raises(SplitNotChosen, match="train, val"):
        chosen_splits(dataset, [])
    with pytest.raises(SplitMissing):
        chosen_splits(dataset, ["test"])
    assert [(name, len(part.photos)) for name, part in chosen_splits(dataset, ["val", "train", "val"])] == [
        ("val", 12),
        ("train", 1),
    ]
    for name in ("manifest.csv", "photos.csv"):
        header, *lines = (pairs_dir / name).read_text().splitlines()
        undivided = [line.rpartition(",")[0] + "," for line in lines]
        (pairs_dir / name).write_text("\n".join([header, *undivided]) + "\n")
    ((name, part),) = chosen_splits(open_dataset(pairs_dir), [])
    assert (name, len(part.photos)) == ("", 13)


def test_photos_alone_are_refused(pairs_dir: Path) -> None:
    (pairs_dir / "manifest.csv").unlink()
    with pytest.raises(NothingToEvaluate, match="12 photos and no sketch"):
        chosen_splits(open_dataset(pairs_dir), ["val"])


def test_an_evaluation_is_the_same_twice(bundle: Bundle, val: PairDataset) -> None:
    def figures(found: Evaluation) -> object:
        return found.served.overall, found.served.categories, found.served.curve

    assert figures(evaluate_split(bundle, val, seed=3)) == figures(evaluate_split(bundle, val, seed=3))
    assert figures(evaluate_split(bundle, val, seed=3)) != figures(evaluate_split(bundle, val, seed=4))
