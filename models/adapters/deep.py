"""The deep adapter: the encoders' last projection tuned to pairs, and to drawings that were made of the photos.

A layout is a 1x1 convolution W of C channels in each of 25 cells. Its tuned form is W (I + K) with one K (C, C) for
all cells, the same for sketches and photos: so stored embeddings of photos are re-projected, and none is encoded again.
K is found by gradient steps, from 0, on

    mean over drawings of CE(own photo among the drawn ones) + share * mean over pairs of CE(own photo among the pairs')

of cosines over `temperature`, times it, + strength / 2 * |K|^2. Pairs are compared with each other's photos alone: a
pair that pulled away from every other photo of the category would teach that the examples' photos are the answer.
The metric of the light adapter (weights of cells, frame, centre) comes before K and stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.adapters.adapter import unit_rows
from models.adapters.category import centred_cosines
from models.adapters.fit import PreparedCategory
from models.adapters.gate import Fitted, contenders, leave_one_out, spread_ratio
from models.adapters.state import Adaptation, FittedCategory, LiveSupport
from models.arrays import Rows, Vectors

CELLS = 25
"""Of a layout's grid, 5 x 5: the last axis of an embedding that is a layout."""
_FAR = np.float32(-1e9)  # a logit that takes a photo out of the comparison


@dataclass(frozen=True)
class ProjectionRule:
    """How K is tuned. `pair_share`: weight of the pairs beside the drawings; `rate`, `steps`: of the gradient steps.

    Chosen on Sketchy's unseen categories with draws other than the reported ones (docs/results/adaptation.md).
    """

    strength: float = 1.0
    temperature: float = 0.2
    pair_share: float = 0.3
    rate: float = 0.3
    steps: int = 15


@dataclass(frozen=True)
class Drawings:
    """`vectors` (D, E): unit embeddings of drawings that a machine made; `positives` (D,): the photo of each."""

    vectors: Vectors
    positives: Rows


@dataclass(frozen=True)
class Comparison:
    """Rows that are told apart: `queries` (N, E) of unit length, `own` (N,) the right row of the photos of each.

    `weights` (N,): of each query in the loss; `allowed` (N, R): which photos it is compared with.
    """

    queries: Vectors
    own: Rows
    weights: Vectors
    allowed: NDArray[np.bool_]


def tuned_projection(photos: Vectors, compared: Comparison, rule: ProjectionRule) -> Vectors:
    """(R, E) unit photos, what is compared with them -> K (C, C) after the steps."""
    channels = _channels(photos.shape[1])
    k = np.zeros((channels, channels), np.float32)
    for _ in range(rule.steps):
        k = k - np.float32(rule.rate) * projection_slope(k, photos, compared, rule)
    return k


def projection_slope(k: Vectors, photos: Vectors, compared: Comparison, rule: ProjectionRule) -> Vectors:
    """dL / dK (C, C): see the head of this module."""
    drawn, shown = _projected(compared.queries, k), _projected(photos, k)
    logits = np.where(compared.allowed, drawn.unit @ shown.unit.T / rule.temperature, _FAR)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    shares[np.arange(len(shares)), compared.own] -= 1
    # The temperature before the loss takes away the one under the cosines.
    shares *= compared.weights[:, None]
    slope: Vectors = (
        drawn.slope(shares @ shown.unit) + shown.slope(shares.T @ drawn.unit) + np.float32(rule.strength) * k
    ).astype(np.float32)
    return slope


def projection_map(k: Vectors, embedding_dim: int) -> Vectors:
    """K (C, C) -> (E, E): I + K for the channels, the same in every cell."""
    channels = len(k)
    whole: Vectors = np.kron(
        np.eye(channels, dtype=np.float32) + k, np.eye(embedding_dim // channels, dtype=np.float32)
    )
    return whole


def deepened(
    category: PreparedCategory, sketches: Vectors, positives: Rows, drawings: Drawings, rule: ProjectionRule
) -> PreparedCategory:
    """The category with its projection tuned to (S, E) sketches of the photos `positives` (S,), and to drawings.

    S may be 0: K is then tuned to the drawings alone.
    """
    candidates = np.unique(np.concatenate([positives, drawings.positives])).astype(np.int64)
    compared = _compared(category, sketches, positives, drawings, candidates, rule)
    k = tuned_projection(category.features[candidates], compared, rule)
    whole = projection_map(k, category.features.shape[1])
    head = whole if category.head is None else whole @ category.head
    moved: Vectors = np.matmul(category.features, head, dtype=np.float32)
    return replace(category, head=head, moved=moved)


def fit_deep(
    adaptation: Adaptation,
    sketches: Vectors,
    positives: Rows,
    photos: Vectors,
    drawings: Drawings,
    live: LiveSupport | None = None,
    *,
    rule: ProjectionRule | None = None,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> FittedCategory:
    """As `Adaptation.fit_category`, with the projection tuned; about a second for each photo that has a sketch.

    The projection is tuned anew for each photo that is left out, without its pairs; its drawings stay, as they would
    for a photo that nobody drew. `live.is_deep`: the active adapter is deep, too. `progress`: fits done, of how many.
    """
    rule, positives = rule or ProjectionRule(), np.asarray(positives, np.int64)
    plain = centred_cosines(sketches, photos)
    known = [contenders(plain, positives), positives, drawings.positives]
    rows = np.unique(np.concatenate(known if live is None else [*known, live.positives]))
    category, own = adaptation.prepare(photos, rows), np.searchsorted(rows, positives)
    drawn = Drawings(drawings.vectors, np.searchsorted(rows, drawings.positives))
    total, done = len(np.unique(own)) + 1, 0

    def before(held_out: Rows) -> Vectors:
        if live is None:
            scores: Vectors = plain[np.ix_(held_out, rows)]
            return scores
        kept = ~np.isin(live.positives, positives[held_out])
        lived, theirs = live.sketches[kept], np.searchsorted(rows, live.positives[kept])
        other = deepened(category, lived, theirs, drawn, rule) if live.is_deep else category
        return other.scores(sketches[held_out], other.fit(lived, theirs))

    def after(held_out: Rows, kept: Rows) -> Vectors:
        nonlocal done
        deep = deepened(category, sketches[kept], own[kept], drawn, rule)
        done += 1
        progress(done, total)
        return deep.scores(sketches[held_out], deep.fit(sketches[kept], own[kept]))

    prior = adaptation.settings.gain.for_spread(spread_ratio(sketches, positives, photos))
    figures = leave_one_out(own, before, after, prior, 0 if live is None else len(np.unique(live.positives)))
    deep = deepened(category, sketches, own, drawn, rule)
    fitted = deep.fit(sketches, own)
    progress(total, total)
    return Fitted(deep.adapter(fitted), figures, fitted.margin)


@dataclass(frozen=True)
class _Projected:
    """`cells` (N * 25, C) before K; `unit` (N, 25 * C) after it, scaled by 1 / `lengths` (N, 1)."""

    cells: Vectors
    unit: Vectors
    lengths: Vectors

    def slope(self, toward: Vectors) -> Vectors:
        """dL / d unit (N, 25 * C) -> dL / dK (C, C)."""
        # What runs along a row itself is lost in scaling it to length 1.
        across = (toward - (toward * self.unit).sum(axis=1, keepdims=True) * self.unit) / self.lengths
        slope: Vectors = self.cells.T @ across.reshape(len(self.cells), -1)
        return slope


def _projected(rows: Vectors, k: Vectors) -> _Projected:
    channels = len(k)
    cells = np.ascontiguousarray(rows.reshape(len(rows), channels, -1).transpose(0, 2, 1)).reshape(-1, channels)
    moved = (cells + cells @ k).reshape(len(rows), -1)
    lengths = np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)
    return _Projected(cells, moved / lengths, lengths)


def _channels(embedding_dim: int) -> int:
    """Of an embedding that is no grid of 25 cells, all numbers are channels of one cell."""
    return embedding_dim // CELLS if embedding_dim % CELLS == 0 else embedding_dim


def _compared(
    category: PreparedCategory,
    sketches: Vectors,
    positives: Rows,
    drawings: Drawings,
    candidates: Rows,
    rule: ProjectionRule,
) -> Comparison:
    pairs = np.unique(positives)
    # One photo alone has nothing to be told from.
    used = len(pairs) > 1
    own = positives if used else positives[:0]
    shown, drawn = sketches[: len(own)], drawings.vectors
    each_photo = np.array([1 / (own == photo).sum() for photo in own], np.float32)
    of_pairs = rule.pair_share * each_photo / max(1, len(pairs))
    of_drawings = np.full(len(drawn), 1 / max(1, len(drawn)), np.float32)
    allowed = np.ones((len(own) + len(drawn), len(candidates)), np.bool_)
    allowed[: len(own)] = np.isin(candidates, pairs)
    queries: Vectors = np.concatenate([_features(category, shown, own), _features(category, drawn, drawings.positives)])
    return Comparison(
        queries,
        np.searchsorted(candidates, np.concatenate([own, drawings.positives])),
        np.concatenate([of_pairs, of_drawings]).astype(np.float32),
        allowed,
    )


def _features(category: PreparedCategory, rows: Vectors, owners: Rows) -> Vectors:
    """(N, E) sketches -> (N, E) in the category's frame, about the mean over their photos of their own means."""
    if not len(rows):
        return category.features[:0]
    rows = rows if category.gains is None else rows * category.gains
    centre = np.mean([rows[owners == photo].mean(axis=0) for photo in np.unique(owners)], axis=0)
    features: Vectors = unit_rows(category.frame.turn((rows - centre).astype(np.float32)))
    return features if category.residual is None else category.residual.apply(features)
