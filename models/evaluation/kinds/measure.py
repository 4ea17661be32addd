"""Drawings of a kind searched in a mixed gallery: any picture of the kind is right.

No drawing was made from a picture of the gallery, so there is no instance to find. What is measured is whether a user
who draws a chair from memory gets a chair. Photos are ranked as the service ranks them when no category is given: by
the cosine of whole embeddings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.arrays import Rows
from models.data.datasets import LabelledSketch, PairDataset, Photo
from models.evaluation.embeddings import Embeddings, Progress, embed_drawings, embed_photos
from models.evaluation.encoders import EncoderPair
from models.evaluation.errors import NothingToEvaluate, SplitNotChosen
from models.evaluation.intervals import Interval, bootstrap
from models.evaluation.metrics import accuracy_at
from models.evaluation.purposes import among_everything
from models.ranking import best_ranks_of

KS = (1, 10)
"""First, and on the first page of results."""

NAME = "name"
ACCEPTED_NAMES = "accepted_names"
_BETWEEN_NAMES = "|"


@dataclass(frozen=True)
class KindTask:
    """`drawings` of kinds, to be searched among `photos`.

    `right`: per kind, (G,) which photos show it, at least one. `without_picture`: the kinds that the gallery has no
    picture of; nothing could find them, and their drawings are left out.
    """

    drawings: tuple[LabelledSketch, ...]
    photos: tuple[Photo, ...]
    right: Mapping[str, NDArray[np.bool_]]
    without_picture: tuple[str, ...]

    @property
    def image_count(self) -> int:
        """How many images a measurement encodes."""
        return len(self.drawings) + len(self.photos)


@dataclass(frozen=True)
class KindShare:
    """Share of drawings with a picture of their kind among the first k, in [0, 1].

    `chance`: its expectation over random rankings. `interval`: of the share, None with fewer than two kinds.
    """

    k: int
    share: float
    chance: float
    interval: Interval | None


@dataclass(frozen=True)
class KindResult:
    """One kind: how many drawings of it were searched, how many photos show it, and its shares by k, in [0, 1]."""

    kind: str
    drawings: int
    right_photos: int
    shares: Mapping[int, float]


@dataclass(frozen=True)
class KindEvaluation:
    """The results of a task. `ranks` (Q,): of the best right photo, from 1. `kinds`: the best first.

    `unusable_drawings` and `unusable_photos`: rows without an embedding, with the reason. A drawing without one counts
    as missed.
    """

    task: KindTask
    ranks: Rows
    shares: tuple[KindShare, ...]
    kinds: tuple[KindResult, ...]
    unusable_drawings: Mapping[int, str]
    unusable_photos: Mapping[int, str]


def kind_task(
    dataset: PairDataset, photos: Sequence[Photo], split: str | None = None, drawings: slice | None = None
) -> KindTask:
    """The labelled sketches of a split, or of an undivided set, with the photos that are right for each kind.

    A photo shows a kind where its attribute `name` is one of the kind's `accepted_names` (an attribute of its drawings,
    divided by `|`), or, where the set lists none, is the kind's own name. `drawings`: which of each kind to take, by
    their order in the set, from 0. Raises SplitNotChosen, SplitMissing, NothingToEvaluate.
    """
    if split is None and len(dataset.splits) > 1:
        raise SplitNotChosen(f"{dataset.name} is divided into {', '.join(dataset.splits)}: say which with --split")
    by_kind: dict[str, list[LabelledSketch]] = {}
    for sketch in (dataset if split is None else dataset.split(split)).labelled:
        by_kind.setdefault(sketch.category, []).append(sketch)
    names = [photo.attributes.get(NAME, "") for photo in photos]
    chosen: list[LabelledSketch] = []
    right, without = {}, []
    for kind, sketches in sorted(by_kind.items()):
        accepted = _accepted_names(sketches[0])
        shows = np.array([name in accepted for name in names], dtype=np.bool_)
        if shows.any():
            right[kind] = shows
            chosen += sketches[drawings or slice(None)]
        else:
            without.append(kind)
    if not chosen:
        raise NothingToEvaluate(
            f"{dataset.name} has no drawing to search for: of its {len(by_kind):,} kinds, {len(right):,} have a picture"
            f" among the {len(photos):,} photos by its attribute {NAME!r}"
        )
    return KindTask(tuple(chosen), tuple(photos), right, tuple(without))


def evaluate_kinds(
    encoders: EncoderPair, task: KindTask, seed: int = 0, progress: Progress | None = None
) -> KindEvaluation:
    """Measure a pair of encoders; `seed` is the bootstrap's. Raises EmbeddingsNotFinite."""
    photos = embed_photos(encoders, task.photos, progress)
    drawings = embed_drawings(encoders, task.drawings, progress, purpose=among_everything(encoders, task.photos))
    kinds = np.array([drawing.category for drawing in task.drawings])
    ranks = kind_ranks(kinds, task.right, drawings, photos)
    return KindEvaluation(
        task=task,
        ranks=ranks,
        shares=kind_shares(ranks, kinds, task.right, seed),
        kinds=_by_kind(ranks, kinds, task.right),
        unusable_drawings=drawings.unusable,
        unusable_photos=photos.unusable,
    )


def kind_ranks(
    kinds: NDArray[np.str_], right: Mapping[str, NDArray[np.bool_]], drawings: Embeddings, photos: Embeddings
) -> Rows:
    """(Q,) kind of each drawing, (G,) right photos per kind, (Q, E), (G, E) -> (Q,) rank of the best right photo.

    Ties with wrong photos count against the drawing. What has no embedding is last: a drawing has the last rank, a
    photo is never found.
    """
    no_photo = np.isin(np.arange(len(photos.vectors)), list(photos.unusable))
    no_drawing = np.isin(np.arange(len(kinds)), list(drawings.unusable))
    ranks = np.zeros(len(kinds), dtype=np.int64)
    for kind in np.unique(kinds).tolist():
        rows = np.flatnonzero(kinds == kind)
        scores = (drawings.vectors[rows] @ photos.vectors.T).astype(np.float64)
        scores[:, no_photo] = -np.inf
        scores[no_drawing[rows]] = -np.inf
        ranks[rows] = best_ranks_of(scores, np.broadcast_to(right[kind], scores.shape))
    return ranks


def kind_shares(
    ranks: Rows, kinds: NDArray[np.str_], right: Mapping[str, NDArray[np.bool_]], seed: int = 0
) -> tuple[KindShare, ...]:
    """(Q,) ranks, (Q,) kinds -> a share for each of KS, with its chance level and its interval.

    The intervals resample kinds, each with all of its drawings, so they hold for other kinds: drawings of one kind are
    found or missed together, by whether the encoders know it.
    """
    hits = np.stack([ranks <= k for k in KS], axis=1).astype(np.float64)
    intervals = bootstrap(hits, np.unique(kinds, return_inverse=True)[1], seed)
    chances = {k: {kind: chance_of_right(int(shows.sum()), len(shows), k) for kind, shows in right.items()} for k in KS}
    return tuple(
        KindShare(
            k,
            accuracy_at(ranks, k),
            float(np.mean([chances[k][kind] for kind in kinds.tolist()])),
            intervals[number] if intervals else None,
        )
        for number, k in enumerate(KS)
    )


def chance_of_right(right: int, photos: int, k: int) -> float:
    """Probability that one of `right` among `photos` is in the first k of a random order (hypergeometric)."""
    missed = 1.0
    for drawn in range(min(k, photos)):
        # Once the wrong photos are used up, a right one is certain.
        missed *= max(0, photos - right - drawn) / (photos - drawn)
    return 1 - missed


def _accepted_names(sketch: LabelledSketch) -> frozenset[str]:
    listed = sketch.attributes.get(ACCEPTED_NAMES)
    names = [sketch.category.replace("_", " ")] if listed is None else listed.split(_BETWEEN_NAMES)
    return frozenset(name.strip() for name in names) - {""}


def _by_kind(ranks: Rows, kinds: NDArray[np.str_], right: Mapping[str, NDArray[np.bool_]]) -> tuple[KindResult, ...]:
    results = []
    for kind in np.unique(kinds).tolist():
        own = ranks[kinds == kind]
        results.append(KindResult(kind, len(own), int(right[kind].sum()), {k: accuracy_at(own, k) for k in KS}))
    # By what a page of results shows first; ties by what stands at its head, then by name.
    return tuple(sorted(results, key=lambda r: (*(-r.shares[k] for k in reversed(KS)), r.kind)))
