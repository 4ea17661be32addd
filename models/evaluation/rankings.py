"""Every sketch of a data set ranked among its photos: the rank of the right photo, and the first ten."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from models.adapters.category import CategoryAdapter
from models.arrays import Rows
from models.data.datasets import PhotoKey, SketchRecord
from models.evaluation.embeddings import Embeddings
from models.ranking import TIE, best_ranks_of, ranks_of, top_columns

SHOWN = 10
_BLOCK = 256  # queries scored at once: bounds memory, not results


class Protocol(StrEnum):
    """What a sketch is searched in."""

    GALLERY = "gallery"  # all photos of the split, of every category
    CATEGORY = "category"  # the photos of the sketch's own category


class Scoring(StrEnum):
    """What photos are ranked by."""

    PLAIN = "plain"  # the cosine of sketch and photo
    CENTRED = "centred"  # the same after the category mean is subtracted: `CategoryAdapter.centred`


SERVED_SCORING = {Protocol.GALLERY: Scoring.PLAIN, Protocol.CATEGORY: Scoring.CENTRED}
"""How the service scores when it searches all photos, or those of a category."""


@dataclass(frozen=True)
class Rankings:
    """The results of Q queries in the order of their records; photos are named by their row in the gallery.

    `ranks` (Q,) from 1; `category_ranks` (Q,) those of the best photo of the sketch's category; `searched` (Q,) how
    many photos each was searched among; `first` (Q, 10) the best rows, -1 where there are no more; `scores` (Q, 10)
    theirs; `own_scores` (Q,) the right photo's. Scores are -inf where there is no vector.
    """

    ranks: NDArray[np.int64]
    category_ranks: NDArray[np.int64]
    searched: NDArray[np.int64]
    first: NDArray[np.int64]
    scores: NDArray[np.float64]
    own_scores: NDArray[np.float64]


def rank(
    records: Sequence[SketchRecord],
    photos: Sequence[PhotoKey],
    sketch_vectors: Embeddings,
    photo_vectors: Embeddings,
    protocol: Protocol,
    scoring: Scoring = Scoring.PLAIN,
    mirrored_vectors: Embeddings | None = None,
) -> Rankings:
    """Rank every query among its photos; centred, each category's photos have an adapter of their own.

    Ties count against the query (`models.ranking`), and the right photo is listed after those that tie with it. A
    sketch without an embedding ties with everything, as everything does with a right photo that has none: both have
    the last rank, since a service that gives no result has missed. With `mirrored_vectors`, the embeddings of the
    mirrored sketches, a photo's score is the better of its two.
    """
    rankings = Rankings(
        ranks=np.zeros(len(records), dtype=np.int64),
        category_ranks=np.zeros(len(records), dtype=np.int64),
        searched=np.zeros(len(records), dtype=np.int64),
        first=np.full((len(records), SHOWN), -1, dtype=np.int64),
        scores=np.full((len(records), SHOWN), -np.inf),
        own_scores=np.zeros(len(records)),
    )
    row_of = {key: row for row, key in enumerate(photos)}
    own = np.array([row_of[record.photo] for record in records], dtype=np.int64)
    queried = np.array([record.photo.category for record in records])
    searched = np.array([key.category for key in photos])
    no_photo = np.isin(np.arange(len(photos)), list(photo_vectors.unusable))
    no_sketch = np.isin(np.arange(len(records)), list(sketch_vectors.unusable))
    for queries, gallery in _searches(queried, searched, protocol):
        score = _scorer(photo_vectors.vectors[gallery], ~no_photo[gallery], scoring)
        for block in np.array_split(queries, -(-len(queries) // _BLOCK)):
            scores = score(sketch_vectors.vectors[block]).astype(np.float64)
            if mirrored_vectors is not None:
                scores = np.maximum(scores, score(mirrored_vectors.vectors[block]))
            scores[:, no_photo[gallery]] = -np.inf
            scores[no_sketch[block]] = -np.inf
            # The gallery's rows ascend, so a binary search gives the column of the right photo.
            _fill(rankings, block, gallery, scores, np.searchsorted(gallery, own[block]))
            alike = queried[block][:, None] == searched[gallery]
            rankings.category_ranks[block] = best_ranks_of(scores, alike)
    return rankings


def _scorer(
    photos: NDArray[np.float32], usable: NDArray[np.bool_], scoring: Scoring
) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """(G, E), (G,) whether each has an embedding -> a function of (Q, E) sketches that gives (Q, G) scores."""
    if scoring is Scoring.PLAIN:
        return lambda sketches: sketches @ photos.T
    adapter = CategoryAdapter.centred(photos[usable])
    adapted = adapter.embed_photos(photos)
    return lambda sketches: adapter.scores(adapter.embed_sketches(sketches), adapted)


def _fill(
    rankings: Rankings,
    queries: NDArray[np.int64],
    gallery: NDArray[np.int64],
    scores: NDArray[np.float64],
    targets: NDArray[np.int64],
) -> None:
    """Fill the rows of `queries`; `targets` (Q,) are columns of `scores` (Q, G)."""
    rankings.ranks[queries] = ranks_of(scores, targets)
    rankings.searched[queries] = len(gallery)
    rankings.own_scores[queries] = scores[np.arange(len(queries)), targets]
    order, best = first_columns(scores, targets)
    rankings.first[queries, : order.shape[1]] = np.where(np.isfinite(best), gallery[order], -1)
    rankings.scores[queries, : order.shape[1]] = best


def _searches(
    queried: NDArray[np.str_], searched: NDArray[np.str_], protocol: Protocol
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """(Q,), (G,) categories -> rows of queries, and the rows of the gallery that they are searched in, ascending."""
    if protocol is Protocol.GALLERY:
        if len(queried):
            yield np.arange(len(queried)), np.arange(len(searched))
        return
    for name in np.unique(queried):
        yield np.flatnonzero(queried == name), np.flatnonzero(searched == name)


def first_columns(scores: NDArray[np.float64], targets: Rows) -> tuple[Rows, NDArray[np.float64]]:
    """(Q, G), (Q,) -> columns and scores (Q, up to 10), the best first; the right photo stands where its rank says."""
    each = np.arange(len(scores))
    behind_ties = scores.copy()
    # Just below all that counts as a tie with it, so that it is listed behind them.
    behind_ties[each, targets] = np.nextafter(scores[each, targets] - TIE, -np.inf)
    order = top_columns(behind_ties, SHOWN)
    return order, np.take_along_axis(scores, order, axis=1)
