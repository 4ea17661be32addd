"""One category's photos, prepared for fits to any part of some examples of it.

Leave-one-out fits an adapter for each photo that has a sketch. None of them embeds the gallery anew: what the inner
step changes has low rank, so scores after it follow from products with the photos as they were.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.adapters.adapter import unit_rows
from models.adapters.category import CategoryAdapter, LowRankGram
from models.adapters.frame import GalleryFrame
from models.adapters.inner_step import LowRankStep, Support, inner_step
from models.adapters.margin import MarginPredictor
from models.adapters.prior import CentrePrior
from models.arrays import Rows, Vectors


@dataclass(frozen=True)
class StepRule:
    """How the inner step is taken; see `AdaptationSettings`."""

    margin: MarginPredictor
    rate: float
    softness: float
    negatives: int


@dataclass(frozen=True)
class LowRankResidual:
    """x -> x + (x down) up, meta-learned and left alone by the inner step; `down` (E, r), `up` (r, E)."""

    down: Vectors
    up: Vectors

    def apply(self, rows: Vectors) -> Vectors:
        """(N, E) -> (N, E)."""
        moved: Vectors = np.add(rows, (rows @ self.down) @ self.up, dtype=np.float32)
        return moved

    def before(self, head: Vectors) -> Vectors:
        """M (E, E') -> (E, E'): the one map that is this residual, then M."""
        composed: Vectors = np.add(head, self.down @ (self.up @ head), dtype=np.float32)
        return composed


@dataclass(frozen=True)
class SupportFit:
    """What a support set made: the sketches' `centre` (E,), and the inner `step` with its `margin`.

    Where there are `gains`, the centre is that of sketches times them. `step` and `margin` are None for methods without
    an inner step, and where there is no sketch.
    """

    centre: Vectors
    step: LowRankStep | None = None
    margin: float | None = None


@dataclass(frozen=True)
class PreparedCategory:
    """`photos` (R, E); `features` (R, E): unit rows in the category's frame, after the residual; `moved` (R, E'): by M.

    Those are the photos that may be shown, be negatives or be ranked; `gallery` (G, E) are all of the category.
    `head`: M, (E, E'), None for the identity. `rule`: None for methods without an inner step. `gains` (E,): weights of
    the embedding's numbers, which `photos` and the frame already have; None for ones.
    """

    gallery: Vectors
    photos: Vectors
    frame: GalleryFrame
    prior: CentrePrior
    head: Vectors | None
    rule: StepRule | None
    residual: LowRankResidual | None
    features: Vectors
    moved: Vectors
    gains: Vectors | None = None

    @classmethod
    def of(
        cls,
        gallery: Vectors,
        rows: Rows | None = None,
        *,
        frame: GalleryFrame,
        prior: CentrePrior,
        head: Vectors | None,
        rule: StepRule | None,
        residual: LowRankResidual | None = None,
        gains: Vectors | None = None,
    ) -> PreparedCategory:
        """Put the photos in `rows` (R,) of `gallery` (G, E), by default all, into the gallery's frame.

        `frame`: of the photos times `gains`.
        """
        photos = gallery if rows is None or len(rows) == len(gallery) else gallery[rows]
        photos = photos if gains is None else photos * gains
        features = unit_rows(frame.embed(photos))
        features = features if residual is None else residual.apply(features)
        moved = features if head is None else features @ head
        return cls(gallery, photos, frame, prior, head, rule, residual, features, moved, gains)

    def fit(self, sketches: Vectors, positives: Rows) -> SupportFit:
        """(S, E) sketches, (S,) position of each one's photo among `photos` -> the fit; S may be 0."""
        sketches = sketches if self.gains is None else sketches * self.gains
        centre = self.prior.centre(sketches, positives, self.photos, self.frame.mean)
        if self.rule is None or not len(sketches):
            return SupportFit(centre)
        support = self._support(self._sketch_features(sketches, centre), positives, self.rule.negatives)
        margin = self.rule.margin.predict(self.head, support)
        step = inner_step(self.head, support, margin=margin, rate=self.rule.rate, softness=self.rule.softness)
        return SupportFit(centre, step, margin)

    def scores(self, sketches: Vectors, fitted: SupportFit) -> Vectors:
        """(Q, E) -> (Q, R): cosines to `photos`, as `adapter(fitted)` gives them before its scale."""
        sketches = sketches if self.gains is None else sketches * self.gains
        drawn = self._sketch_features(sketches, fitted.centre)
        drawn_moved = drawn if self.head is None else drawn @ self.head
        if fitted.step is None:
            unstepped: Vectors = unit_rows(drawn_moved) @ self._unit_moved.T
            return unstepped
        embedded = unit_rows(fitted.step.apply(drawn, drawn_moved))
        # The photos after the step are moved + along @ steps; neither they nor their lengths need be formed.
        steps = fitted.step.weights @ fitted.step.moved
        along = self.features @ fitted.step.rows.T
        # Without a head nothing was moved, so the products before and after M are the same.
        across = along if self.head is None else self.moved @ fitted.step.moved.T
        squared = np.einsum("ge,ge->g", self.moved, self.moved)
        squared += 2 * np.einsum("gn,gn->g", along, across @ fitted.step.weights.T)
        squared += np.einsum("gn,gn->g", along @ (steps @ steps.T), along)
        products = embedded @ self.moved.T + (embedded @ steps.T) @ along.T
        cosines: Vectors = (products / np.sqrt(np.maximum(squared, 1e-12))).astype(np.float32)
        return cosines

    def adapter(self, fitted: SupportFit) -> CategoryAdapter:
        """The category adapter of a fit: frame, residual and M after the step in one map, scale from the gallery."""
        if self.head is None and self.residual is None and fitted.step is None:
            map_ = self.frame.matrix()
            gram = LowRankGram.of_frame(self.frame.axes, self.frame.gains, self.gains)
        else:
            map_, gram = self._map_of_head(fitted), None
        if self.gains is None:
            adapter = CategoryAdapter(self.frame.mean, map_, sketch_mean=fitted.centre, gram=gram)
            return adapter.calibrated(self.gallery)
        # An adapter subtracts before it maps, so its means are those of rows without the gains.
        mean, centre = self.frame.mean / self.gains, fitted.centre / self.gains
        adapter = CategoryAdapter(mean, self.gains[:, None] * map_, sketch_mean=centre, gram=gram)
        return adapter.calibrated(self.gallery)

    def _map_of_head(self, fitted: SupportFit) -> Vectors:
        head = np.eye(self.photos.shape[1], dtype=np.float32) if self.head is None else self.head
        head = head if fitted.step is None else fitted.step.head(head)
        # The step was made for M alone, on rows that had passed the residual: so the residual joins the map after it.
        head = head if self.residual is None else self.residual.before(head)
        return self.frame.turn(head.T).T  # the frame is symmetric

    @cached_property
    def _unit_moved(self) -> Vectors:
        """(R, E'): the same for every fit, so leave-one-out scales them once."""
        return unit_rows(self.moved)

    def _sketch_features(self, sketches: Vectors, centre: Vectors) -> Vectors:
        features = unit_rows(self.frame.turn(sketches - centre))
        return features if self.residual is None else self.residual.apply(features)

    def _support(self, sketches: Vectors, positives: Rows, negatives: int) -> Support:
        """Features of sketches with their own photos, and the `negatives` other photos that are nearest to them."""
        drawn, owner = np.unique(positives, return_inverse=True)
        nearness = (self.features @ unit_rows(sketches).T).max(axis=1)
        # The own photos are candidates in any case, and must not take the places of negatives.
        nearness[drawn] = -np.inf
        # A stable sort: photos at equal distance are taken in gallery order, so a fit can be repeated.
        others = np.argsort(-nearness, kind="stable")[: min(negatives, len(nearness) - len(drawn))]
        candidates = self.features[np.concatenate([drawn, others])]
        return Support(sketches, candidates, owner.reshape(-1).astype(np.int64))
