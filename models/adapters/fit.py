"""One category's photos, made ready to fit heads to any part of some examples of it.

Leave-one-out fits a head for each photo that has a sketch. None of them embeds the gallery anew: a fitted head differs
from the one that all of them start from by a step of low rank.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.adapters.category import CategoryAdapter
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
class Adapter:
    """x -> x + (x down) up, learned across categories and left alone by the step; `down` (E, r), `up` (r, E)."""

    down: Vectors
    up: Vectors

    def apply(self, rows: Vectors) -> Vectors:
        """(N, E) -> (N, E)."""
        adapted: Vectors = np.add(rows, (rows @ self.down) @ self.up, dtype=np.float32)
        return adapted

    def before(self, head: Vectors) -> Vectors:
        """(E, E') -> (E, E'): the map that adapts first and maps then."""
        whole: Vectors = np.add(head, self.down @ (self.up @ head), dtype=np.float32)
        return whole


@dataclass(frozen=True)
class Fitted:
    """What examples made: the sketches' centre, and the step, None where there is none; `margin` is the step's."""

    centre: Vectors
    step: LowRankStep | None = None
    margin: float | None = None


@dataclass(frozen=True)
class CategoryFit:
    """`photos` (R, E); `features` (R, E): rows of length 1 in the category's frame, adapted; `moved` (R, E'): by M.

    Those are the photos that may be shown, be negatives or be ranked; `gallery` (G, E) are all of the category.
    `start`: M, None for the identity. `rule`: None for methods without an inner step.
    """

    gallery: Vectors
    photos: Vectors
    frame: GalleryFrame
    prior: CentrePrior
    start: Vectors | None
    rule: StepRule | None
    adapter: Adapter | None
    features: Vectors
    moved: Vectors

    @classmethod
    def of(
        cls,
        gallery: Vectors,
        rows: Rows | None = None,
        *,
        shrinkage: float,
        power: float,
        prior: CentrePrior,
        start: Vectors | None,
        rule: StepRule | None,
        adapter: Adapter | None = None,
    ) -> CategoryFit:
        """Find the frame of (G, E) photos and put those in `rows` (R,) into it, by default all."""
        frame = GalleryFrame.of(gallery, shrinkage=shrinkage, power=power)
        photos = gallery if rows is None or len(rows) == len(gallery) else gallery[rows]
        features = _unit(frame.embed(photos))
        features = features if adapter is None else adapter.apply(features)
        moved = features if start is None else features @ start
        return cls(gallery, photos, frame, prior, start, rule, adapter, features, moved)

    def fit(self, sketches: Vectors, positives: Rows) -> Fitted:
        """(S, E), (S,) each one's place among `photos` -> what they say; S may be 0."""
        centre = self.prior.centre(sketches, positives, self.photos, self.frame.mean)
        if self.rule is None or not len(sketches):
            return Fitted(centre)
        support = self._support(self._asked(sketches, centre), positives, self.rule.negatives)
        margin = self.rule.margin.predict(self.start, support)
        step = inner_step(self.start, support, margin=margin, rate=self.rule.rate, softness=self.rule.softness)
        return Fitted(centre, step, margin)

    def scores(self, sketches: Vectors, fitted: Fitted) -> Vectors:
        """(Q, E) -> (Q, R): cosines to `photos`, as `head(fitted)` gives them."""
        asked = self._asked(sketches, fitted.centre)
        asked_moved = asked if self.start is None else asked @ self.start
        if fitted.step is None:
            found: Vectors = _unit(asked_moved) @ _unit(self.moved).T
            return found
        embedded = _unit(fitted.step.apply(asked, asked_moved))
        # The photos after the step are moved + along @ steps; neither they nor their lengths need be formed.
        steps = fitted.step.weights @ fitted.step.moved
        along = self.features @ fitted.step.rows.T
        across = along if self.start is None else self.moved @ fitted.step.moved.T
        squared = np.einsum("ge,ge->g", self.moved, self.moved)
        squared += 2 * np.einsum("gn,gn->g", along, across @ fitted.step.weights.T)
        squared += np.einsum("gn,gn->g", along @ (steps @ steps.T), along)
        products = embedded @ self.moved.T + (embedded @ steps.T) @ along.T
        cosines: Vectors = (products / np.sqrt(np.maximum(squared, 1e-12))).astype(np.float32)
        return cosines

    def head(self, fitted: Fitted) -> CategoryAdapter:
        """The head, with its scale found on the photos."""
        head = np.eye(self.photos.shape[1], dtype=np.float32) if self.start is None else self.start
        head = head if fitted.step is None else fitted.step.head(head)
        head = head if self.adapter is None else self.adapter.before(head)
        map_ = self.frame.turn(head.T).T  # the frame is symmetric
        return CategoryAdapter(self.frame.mean, map_, sketch_mean=fitted.centre).calibrated(self.gallery)

    def _asked(self, sketches: Vectors, centre: Vectors) -> Vectors:
        features = _unit(self.frame.turn(sketches - centre))
        return features if self.adapter is None else self.adapter.apply(features)

    def _support(self, sketches: Vectors, positives: Rows, negatives: int) -> Support:
        """Features of sketches with their own photos, and the `negatives` other photos that are nearest to them."""
        drawn, owner = np.unique(positives, return_inverse=True)
        nearness = (self.features @ _unit(sketches).T).max(axis=1)
        nearness[drawn] = -np.inf
        others = np.argsort(-nearness, kind="stable")[: min(negatives, len(nearness) - len(drawn))]
        candidates = self.features[np.concatenate([drawn, others])]
        return Support(sketches, candidates, owner.reshape(-1).astype(np.int64))


def _unit(rows: Vectors) -> Vectors:
    unit: Vectors = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return unit
