"""A pair of encoders measured on one split of a data set: figures with intervals, overall and per category."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.data.datasets import PairDataset, Photo, PhotoKey, SketchRecord
from models.evaluation.dataset_embeddings import embed_photos, embed_sketches
from models.evaluation.encoders import EncoderPair
from models.evaluation.errors import NothingToEvaluate, SplitNotChosen
from models.evaluation.intervals import Interval, bootstrap
from models.evaluation.protocol import Figures
from models.evaluation.ranking import SERVED, Protocol, Rankings, Scoring, rank

CURVE_K = 20

FIGURES = ("acc_at_1", "acc_at_5", "acc_at_10", "mean_average_precision", "mean_rank")


@dataclass(frozen=True)
class Measured:
    """Figures, and the 95 % interval of each of FIGURES; None with fewer than two photos."""

    figures: Figures
    intervals: Mapping[str, Interval] | None


@dataclass(frozen=True)
class CurvePoint:
    """acc@k, with its interval."""

    k: int
    share: float
    interval: Interval | None


@dataclass(frozen=True)
class Scored:
    """What one way to score photos found. `rankings` refers to photos by their row in the gallery."""

    rankings: Rankings
    overall: Measured
    categories: Mapping[str, Measured]
    curve: tuple[CurvePoint, ...]


@dataclass(frozen=True)
class Evaluation:
    """All that was found out about a split, whose gallery is `photos`.

    `scored`: by each way to score. `chance_at_1`: the acc@1 of an encoder that knows nothing. `refused_sketches` and
    `refused_photos` are rows of `records` and `photos` that gave no vector, with the reason: their queries count as
    missed.
    """

    split: str
    protocol: Protocol
    records: tuple[SketchRecord, ...]
    photos: tuple[Photo, ...]
    scored: Mapping[Scoring, Scored]
    chance_at_1: float
    refused_sketches: Mapping[int, str]
    refused_photos: Mapping[int, str]

    @property
    def served(self) -> Scored:
        """As the service scores: what a user gets."""
        return self.scored[SERVED[self.protocol]]

    @property
    def plain(self) -> Scored | None:
        """By plain cosines, where the service does not score by those."""
        return None if SERVED[self.protocol] is Scoring.PLAIN else self.scored[Scoring.PLAIN]

    @property
    def drawn(self) -> NDArray[np.int64]:
        """(Q,) number of the photo that each query was drawn from."""
        return _numbers_of([record.photo for record in self.records])


def chosen_splits(dataset: PairDataset, names: Sequence[str]) -> tuple[tuple[str, PairDataset], ...]:
    """The splits with their galleries. Without names: the set itself, when it is not divided.

    Raises SplitMissing, SplitNotChosen, NothingToEvaluate.
    """
    if not names and len(dataset.splits) > 1:
        raise SplitNotChosen(f"{dataset.name} is divided into {', '.join(dataset.splits)}: say which with --split")
    wanted = tuple(dict.fromkeys(names)) or dataset.splits
    parts = tuple((name, dataset.split(name)) for name in wanted) or (("", dataset),)
    for name, part in parts:
        if not part.records:
            where = f"the split {name!r} of {dataset.name}" if name else dataset.name
            raise NothingToEvaluate(f"{where} has {len(part.photos):,} photos and no sketch of any: nothing to ask")
    return parts


def evaluate_split(
    encoders: EncoderPair,
    dataset: PairDataset,
    split: str = "",
    *,
    protocol: Protocol = Protocol.GALLERY,
    seed: int = 0,
    progress: Callable[[int], object] | None = None,
) -> Evaluation:
    """Every record of `dataset` is a query, all of its photos are the gallery. `seed` is the bootstrap's.

    `progress` is given how many images were encoded since. Raises EmbeddingsNotFinite.
    """
    photos = tuple(dataset.photos.values())
    keys = [photo.key for photo in photos]
    photo_vectors = embed_photos(encoders, photos, progress)
    sketch_vectors = embed_sketches(encoders, dataset.records, progress)
    scored = {}
    for scoring in dict.fromkeys((Scoring.PLAIN, SERVED[protocol])):
        found = rank(dataset.records, keys, sketch_vectors, photo_vectors, protocol, scoring)
        scored[scoring] = _scored(dataset.records, photos, found, protocol, seed)
    return Evaluation(
        split=split,
        protocol=protocol,
        records=dataset.records,
        photos=photos,
        scored=scored,
        chance_at_1=float((1 / scored[Scoring.PLAIN].rankings.searched).mean()),
        refused_sketches=sketch_vectors.refused,
        refused_photos=photo_vectors.refused,
    )


def _scored(
    records: Sequence[SketchRecord], photos: Sequence[Photo], found: Rankings, protocol: Protocol, seed: int
) -> Scored:
    drawn = _numbers_of([record.photo for record in records])
    asked = np.array([record.photo.category for record in records])
    searched = len(photos) if protocol is Protocol.GALLERY else _photos_of(photos, set(asked.tolist()))
    categories = {}
    for name in np.unique(asked).tolist():
        mine = asked == name
        among = int(found.searched[mine][0])
        figures = Figures.of_ranks(found.ranks[mine], photos=among, categories=1)
        categories[str(name)] = Measured(figures, _intervals(found.ranks[mine], drawn[mine], seed))
    figures = Figures.of_ranks(found.ranks, photos=searched, categories=len(categories))
    overall = Measured(figures, _intervals(found.ranks, drawn, seed))
    return Scored(found, overall, categories, accuracy_curve(found.ranks, drawn, seed))


def accuracy_curve(placed: NDArray[np.int64], drawn: NDArray[np.int64], seed: int) -> tuple[CurvePoint, ...]:
    """(Q,) ranks, (Q,) number of each query's photo -> acc@k for k from 1 to 20."""
    hits = (placed[:, None] <= np.arange(1, CURVE_K + 1)).astype(np.float64)
    intervals = bootstrap(hits, drawn, seed)
    return tuple(
        CurvePoint(k + 1, float(share), intervals[k] if intervals else None)
        for k, share in enumerate(hits.mean(axis=0))
    )


def query_values(placed: NDArray[np.int64]) -> NDArray[np.float64]:
    """(Q,) ranks -> (Q, 5): what each query adds to the means that FIGURES are."""
    return np.stack([placed <= 1, placed <= 5, placed <= 10, 1.0 / placed, placed], axis=1).astype(np.float64)


def _intervals(placed: NDArray[np.int64], drawn: NDArray[np.int64], seed: int) -> dict[str, Interval] | None:
    intervals = bootstrap(query_values(placed), drawn, seed)
    return dict(zip(FIGURES, intervals, strict=True)) if intervals else None


def _numbers_of(keys: Sequence[PhotoKey]) -> NDArray[np.int64]:
    """The same number for equal keys."""
    numbers: dict[PhotoKey, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def _photos_of(photos: Sequence[Photo], categories: set[str]) -> int:
    return sum(photo.key.category in categories for photo in photos)
