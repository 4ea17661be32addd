"""What every sketch finds: the rank of its photo, and the first photos that come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from models.adapters.category import CategoryAdapter
from models.arrays import Rows
from models.data.datasets import PhotoKey, SketchRecord
from models.evaluation.dataset_embeddings import Embedded
from models.ranking import TIE, ranks_of, top_columns

SHOWN = 10
_BLOCK = 256  # queries scored at once: bounds memory, not results


class Protocol(StrEnum):
    """What a sketch is searched in."""

    GALLERY = "gallery"  # all photos of the split, of every category
    CATEGORY = "category"  # the photos of the sketch's own category


class Scoring(StrEnum):
    """What photos are ranked by."""

    PLAIN = "plain"  # the cosine of sketch and photo
    CENTRED = "centred"  # the same after what the category's photos share is taken away: `CategoryAdapter.centred`


SERVED = {Protocol.GALLERY: Scoring.PLAIN, Protocol.CATEGORY: Scoring.CENTRED}
"""What the service scores by when it searches that."""


@dataclass(frozen=True)
class Rankings:
    """Of Q queries in the order of their records; photos are named by their row in the gallery.

    `ranks` (Q,) from 1; `searched` (Q,) how many photos each was searched among; `first` (Q, 10) the best rows, -1
    where there are no more; `scores` (Q, 10) theirs; `own_scores` (Q,) the right photo's. Scores are -inf where
    there is no vector.
    """

    ranks: NDArray[np.int64]
    searched: NDArray[np.int64]
    first: NDArray[np.int64]
    scores: NDArray[np.float64]
    own_scores: NDArray[np.float64]


def rank(
    records: Sequence[SketchRecord],
    photos: Sequence[PhotoKey],
    sketch_vectors: Embedded,
    photo_vectors: Embedded,
    protocol: Protocol,
    scoring: Scoring = Scoring.PLAIN,
) -> Rankings:
    """Rank every query among its photos. Centred, each gallery has a head, made of its photos.

    Ties count against the query (TIE), and the right photo is listed after the others. A sketch that could not be
    encoded ties with everything, and so does every photo with one that could not be: both come last, as a service that
    has no answer would have missed.
    """
    found = Rankings(
        ranks=np.zeros(len(records), dtype=np.int64),
        searched=np.zeros(len(records), dtype=np.int64),
        first=np.full((len(records), SHOWN), -1, dtype=np.int64),
        scores=np.full((len(records), SHOWN), -np.inf),
        own_scores=np.zeros(len(records)),
    )
    row_of = {key: row for row, key in enumerate(photos)}
    own = np.array([row_of[record.photo] for record in records], dtype=np.int64)
    no_photo = np.isin(np.arange(len(photos)), list(photo_vectors.refused))
    no_sketch = np.isin(np.arange(len(records)), list(sketch_vectors.refused))
    for queries, gallery in _searches(records, photos, protocol):
        score = _scorer(photo_vectors.vectors[gallery], ~no_photo[gallery], scoring)
        for block in np.array_split(queries, -(-len(queries) // _BLOCK)):
            scores = score(sketch_vectors.vectors[block]).astype(np.float64)
            scores[:, no_photo[gallery]] = -np.inf
            scores[no_sketch[block]] = -np.inf
            _enter(found, block, gallery, scores, np.searchsorted(gallery, own[block]))
    return found


def _scorer(
    photos: NDArray[np.float32], usable: NDArray[np.bool_], scoring: Scoring
) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """(G, E), (G,) which of them are vectors at all -> a function of (Q, E) sketches that gives (Q, G)."""
    if scoring is Scoring.PLAIN:
        return lambda sketches: sketches @ photos.T
    head = CategoryAdapter.centred(photos[usable])
    moved = head.embed_photos(photos)
    return lambda sketches: head.scores(head.embed_sketches(sketches), moved)


def _enter(
    found: Rankings,
    queries: NDArray[np.int64],
    gallery: NDArray[np.int64],
    scores: NDArray[np.float64],
    targets: NDArray[np.int64],
) -> None:
    """Fill the rows of `queries`; `targets` (Q,) are columns of `scores` (Q, G)."""
    found.ranks[queries] = ranks_of(scores, targets)
    found.searched[queries] = len(gallery)
    found.own_scores[queries] = scores[np.arange(len(queries)), targets]
    order, best = _first(scores, targets)
    found.first[queries, : order.shape[1]] = np.where(np.isfinite(best), gallery[order], -1)
    found.scores[queries, : order.shape[1]] = best


def _searches(
    records: Sequence[SketchRecord], photos: Sequence[PhotoKey], protocol: Protocol
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Rows of queries, and the rows of the gallery that they are searched in, ascending."""
    if protocol is Protocol.GALLERY:
        if records:
            yield np.arange(len(records)), np.arange(len(photos))
        return
    asked = np.array([record.photo.category for record in records])
    there = np.array([key.category for key in photos])
    for name in np.unique(asked):
        yield np.flatnonzero(asked == name), np.flatnonzero(there == name)


def _first(scores: NDArray[np.float64], targets: Rows) -> tuple[Rows, NDArray[np.float64]]:
    """(Q, G), (Q,) -> columns and scores (Q, up to 10), the best first; the right photo stands where its rank says."""
    each = np.arange(len(scores))
    behind_ties = scores.copy()
    behind_ties[each, targets] = np.nextafter(scores[each, targets] - TIE, -np.inf)
    order = top_columns(behind_ties, SHOWN)
    return order, np.take_along_axis(scores, order, axis=1)
