"""A pair of encoders measured on one split of a data set: figures with intervals, overall and per category."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from models.arrays import Vectors
from models.bundle import EmbeddingParts, Purpose, ScoreCalibration, likeness
from models.data.datasets import PairDataset, Photo, PhotoKey, SketchRecord, mirrored
from models.evaluation.embeddings import Progress, embed_photos, embed_sketches
from models.evaluation.encoders import EncoderPair
from models.evaluation.errors import NothingToEvaluate, SplitNotChosen
from models.evaluation.intervals import Interval, bootstrap
from models.evaluation.protocol import Figures
from models.evaluation.purposes import among_everything, within_category
from models.evaluation.rankings import SERVED_SCORING, Protocol, Rankings, Scoring, rank
from models.evaluation.reliability import Reliability, reliability

CURVE_K = 20

FIGURES = ("acc_at_1", "acc_at_5", "acc_at_10", "mean_average_precision", "mean_rank")


@dataclass(frozen=True)
class Measured:
    """Figures, and the 95 % interval of each of FIGURES; no intervals with fewer than two photos."""

    figures: Figures
    intervals: Mapping[str, Interval] | None


@dataclass(frozen=True)
class CurvePoint:
    """acc@k, with its interval."""

    k: int
    share: float
    interval: Interval | None


@dataclass(frozen=True)
class Share:
    """A share of queries, in [0, 1], with its interval; no interval with fewer than two photos."""

    value: float
    interval: Interval | None


@dataclass(frozen=True)
class Scored:
    """The results of one way to score: `overall`, per category, and acc@k for k from 1 to 20 as `curve`."""

    rankings: Rankings
    overall: Measured
    categories: Mapping[str, Measured]
    curve: tuple[CurvePoint, ...]


@dataclass(frozen=True)
class Evaluation:
    """The results on a split, whose gallery is `photos`.

    `mirror`: whether the mirrored sketches were searched as well. `scored`: by each way to score. `chance_at_1`: the
    expected acc@1 of a random ranking. `unusable_sketches` and `unusable_photos` are rows of `records` and `photos`
    without an embedding, with the reason: their queries count as missed. `category_first`: the share of queries whose
    first photo is any of the sketch's category; None where only one category is searched. `reliability`: of the first
    result's confidence, that it shows the sketch's category, or within one that it is the very photo; None where the
    bundle has no calibration for such a search. `purposes`: what each sketch was prepared for.
    """

    split: str
    protocol: Protocol
    mirror: bool
    records: tuple[SketchRecord, ...]
    photos: tuple[Photo, ...]
    scored: Mapping[Scoring, Scored]
    chance_at_1: float
    unusable_sketches: Mapping[int, str]
    unusable_photos: Mapping[int, str]
    category_first: Share | None = None
    reliability: Reliability | None = None
    purposes: tuple[Purpose, ...] = ()

    @property
    def served(self) -> Scored:
        """Scored as the service scores, so what a user gets."""
        return self.scored[SERVED_SCORING[self.protocol]]

    @property
    def plain(self) -> Scored | None:
        """Scored by plain cosines, where the service scores in another way; else None."""
        return None if SERVED_SCORING[self.protocol] is Scoring.PLAIN else self.scored[Scoring.PLAIN]

    @property
    def photo_numbers(self) -> NDArray[np.int64]:
        """(Q,) a number for the photo of each query, equal for sketches of one photo."""
        return _numbers_of([record.photo for record in self.records])


def chosen_splits(dataset: PairDataset, names: Sequence[str]) -> tuple[tuple[str, PairDataset], ...]:
    """The splits with their galleries. Without names: the set itself, when it is not divided.

    Raises SplitMissing, SplitNotChosen, NothingToEvaluate.
    """
    if not names and len(dataset.splits) > 1:
        raise SplitNotChosen(f"{dataset.name} is divided into {', '.join(dataset.splits)}: say which with --split")
    requested = tuple(dict.fromkeys(names)) or dataset.splits
    parts = tuple((name, dataset.split(name)) for name in requested) or (("", dataset),)
    for name, part in parts:
        if not part.records:
            where = f"the split {name!r} of {dataset.name}" if name else dataset.name
            raise NothingToEvaluate(f"{where} has {len(part.photos):,} photos and no sketch of any, so no queries")
    return parts


def require_choices(parts: Sequence[tuple[str, PairDataset]], protocol: Protocol) -> None:
    """Raise NothingToEvaluate where no search of any split could go wrong: the right photo is the only one searched."""
    if any(_has_choices(part, protocol) for _, part in parts):
        return
    photos = sum(len(part.photos) for _, part in parts)
    if protocol is Protocol.GALLERY or photos == len(parts):
        raise NothingToEvaluate("there is a single photo, which every search finds: figures would say nothing")
    raise NothingToEvaluate(
        "no category has two photos, so a search within one finds the right one whatever is drawn; "
        f"--protocol {Protocol.GALLERY.value} searches all {photos:,} photos"
    )


def _has_choices(part: PairDataset, protocol: Protocol) -> bool:
    photos = Counter(key.category for key in part.photos)
    if protocol is Protocol.GALLERY:
        return len(part.photos) > 1
    return any(photos[record.photo.category] > 1 for record in part.records)


def evaluate_split(
    encoders: EncoderPair,
    dataset: PairDataset,
    split: str = "",
    *,
    protocol: Protocol = Protocol.GALLERY,
    mirror: bool = False,
    seed: int = 0,
    calibration: ScoreCalibration | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure a pair of encoders: every record of `dataset` is a query, all of its photos are the gallery.

    `mirror`: each sketch is searched both ways round, and a photo counts by its better score. `seed` is the
    bootstrap's. `calibration`: the bundle's, whose reliability is measured. Raises EmbeddingsNotFinite.
    """
    photos = tuple(dataset.photos.values())
    keys = [photo.key for photo in photos]
    photo_vectors = embed_photos(encoders, photos, progress)
    # As the service prepares a sketch for such a search, and within a category compares layouts alone.
    if protocol is Protocol.CATEGORY:
        purposes = within_category(encoders, [record.photo for record in dataset.records], photos)
    else:
        purposes = [among_everything(encoders, photos)] * len(dataset.records)
    embed = partial(embed_sketches, encoders, progress=progress, purposes=purposes)
    sketch_vectors = embed(dataset.records)
    turned_vectors = embed(mirrored(dataset).records) if mirror else None
    if protocol is Protocol.CATEGORY:
        photo_vectors = photo_vectors.adaptable(encoders.parts)
        sketch_vectors = sketch_vectors.adaptable(encoders.parts)
        turned_vectors = turned_vectors and turned_vectors.adaptable(encoders.parts)
    scored = {}
    for scoring in dict.fromkeys((Scoring.PLAIN, SERVED_SCORING[protocol])):
        rankings = rank(dataset.records, keys, sketch_vectors, photo_vectors, protocol, scoring, turned_vectors)
        scored[scoring] = _scored(dataset.records, photos, rankings, protocol, seed)
    served = scored[SERVED_SCORING[protocol]].rankings
    return Evaluation(
        split=split,
        protocol=protocol,
        mirror=mirror,
        records=dataset.records,
        photos=photos,
        scored=scored,
        chance_at_1=float((1 / scored[Scoring.PLAIN].rankings.searched).mean()),
        unusable_sketches=sketch_vectors.unusable,
        unusable_photos=photo_vectors.unusable,
        category_first=_category_first(dataset.records, keys, served, protocol, seed),
        reliability=_reliability(
            calibration, encoders.parts, dataset.records, keys, served, photo_vectors.vectors, protocol, seed
        ),
        purposes=tuple(purposes),
    )


def _reliability(
    calibrations: ScoreCalibration | None,
    parts: EmbeddingParts | None,
    records: Sequence[SketchRecord],
    keys: Sequence[PhotoKey],
    rankings: Rankings,
    photos: Vectors,
    protocol: Protocol,
    seed: int,
) -> Reliability | None:
    if calibrations is None:
        return None
    among_all = protocol is Protocol.GALLERY
    calibration = calibrations.everything if among_all else calibrations.category
    if calibration is None or (among_all and len({key.category for key in keys}) < 2):
        return None
    compared = photos if parts is None or not among_all else parts.kind_of(photos)
    confidences, right = np.zeros(len(records)), np.zeros(len(records), bool)
    for row, (record, order, scores) in enumerate(zip(records, rankings.first, rankings.scores, strict=True)):
        known = order >= 0
        if known.any():
            alike = likeness(compared[order[known]]) if calibration.agreement else 0.0
            confidences[row] = calibration.confidences(scores[known], alike)[0]
            best = keys[order[0]]
            right[row] = best.category == record.photo.category if among_all else best == record.photo
    return reliability(confidences, right, _numbers_of([record.photo for record in records]), seed)


def _category_first(
    records: Sequence[SketchRecord], keys: Sequence[PhotoKey], rankings: Rankings, protocol: Protocol, seed: int
) -> Share | None:
    if protocol is Protocol.CATEGORY or len({key.category for key in keys}) < 2:
        return None
    first = (rankings.category_ranks == 1).astype(np.float64)
    intervals = bootstrap(first[:, None], _numbers_of([record.photo for record in records]), seed)
    return Share(float(first.mean()), intervals[0] if intervals else None)


def _scored(
    records: Sequence[SketchRecord], photos: Sequence[Photo], rankings: Rankings, protocol: Protocol, seed: int
) -> Scored:
    numbers = _numbers_of([record.photo for record in records])
    queried = np.array([record.photo.category for record in records])
    searched = len(photos) if protocol is Protocol.GALLERY else _photos_of(photos, set(queried.tolist()))
    categories = {}
    for name in np.unique(queried).tolist():
        mine = queried == name
        # All queries of a category are searched in the same gallery, so the first speaks for all.
        among = int(rankings.searched[mine][0])
        figures = Figures.of_ranks(rankings.ranks[mine], photos=among, categories=1)
        categories[str(name)] = Measured(figures, _intervals(rankings.ranks[mine], numbers[mine], seed))
    figures = Figures.of_ranks(rankings.ranks, photos=searched, categories=len(categories))
    overall = Measured(figures, _intervals(rankings.ranks, numbers, seed))
    return Scored(rankings, overall, categories, accuracy_curve(rankings.ranks, numbers, seed))


def accuracy_curve(ranks: NDArray[np.int64], numbers: NDArray[np.int64], seed: int) -> tuple[CurvePoint, ...]:
    """(Q,) ranks, (Q,) number of each query's photo -> acc@k for k from 1 to CURVE_K."""
    hits = (ranks[:, None] <= np.arange(1, CURVE_K + 1)).astype(np.float64)
    intervals = bootstrap(hits, numbers, seed)
    return tuple(
        CurvePoint(k + 1, float(share), intervals[k] if intervals else None)
        for k, share in enumerate(hits.mean(axis=0))
    )


def query_values(ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """(Q,) ranks -> (Q, 5) values of each query; FIGURES are their means."""
    return np.stack([ranks <= 1, ranks <= 5, ranks <= 10, 1.0 / ranks, ranks], axis=1).astype(np.float64)


def _intervals(ranks: NDArray[np.int64], numbers: NDArray[np.int64], seed: int) -> dict[str, Interval] | None:
    intervals = bootstrap(query_values(ranks), numbers, seed)
    return dict(zip(FIGURES, intervals, strict=True)) if intervals else None


def _numbers_of(keys: Sequence[PhotoKey]) -> NDArray[np.int64]:
    """The same number for equal keys."""
    numbers: dict[PhotoKey, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def _photos_of(photos: Sequence[Photo], categories: set[str]) -> int:
    return sum(photo.key.category in categories for photo in photos)
