"""The centre of a category's sketches, from a few of them: a prior and a mean, weighed by how much either is trusted.

A sketch hardly moves with its photo: with m the photos' mean, sketches of photo p lie around c + follow * (p - m).
Taken as it is, the mean of the sketches at hand would draw every query towards their own photos; less the part that
those explain it is an estimate of c. With c normal around `share` * m, and an error of its photo and one of its own in
each sketch,

    c = share * m + sum_i w_i x_i / (trust' + sum_i w_i),      w_i = 1 / (per_photo + (1 - per_photo) / n_i)

where photo i has n_i sketches whose mean, less follow * (p_i - m), lies x_i off share * m.

How far sketches lie off differs between categories: hardly where the encoders were trained on the category, far where
they never saw its like. Errors of different photos have nothing in common, so x_i . x_j estimates the squared distance
U; what is left of |x_i|^2 is error, S. The examples' own U / S and the learned 1 / trust are averaged, as an empirical
Bayes estimate (James and Stein, 1961) between the two, with one photo's worth of no distance at all beside them:

    1 / trust' = ((P - 1) max(0, U / S) + LEARNED / trust) / (P - 1 + LEARNED + NONE),      P photos

A trust without bounds therefore leaves the centre where it was, whatever the examples say.
"""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from models.arrays import Rows, Vectors

LEARNED = 0.5
"""Photos that the learned 1 / trust counts for. Embeddings are long, so two photos already estimate U / S well."""
NONE = 1.0
"""Photos' worth of no distance: one photo's sketches do not show what part is the photo's, and move little."""
MOST = 10.0
"""U / S counts at most this many times the learned 1 / trust: sketches of two photos may happen to be alike."""


class CentrePrior(BaseModel):
    """The scalars of the formula above; all learned across categories.

    `share`: of the photos' mean, where sketches are expected. `follow`: how far a sketch moves with its photo. `trust`:
    how many photos that prior counts for. `per_photo`: the part of the error that all sketches of one photo have.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float = 1.0
    follow: float = 0.15
    trust: float = Field(default=1.0, gt=0)
    per_photo: float = Field(default=0.5, ge=0, le=1)

    def centre(self, sketches: Vectors, positives: Rows, photos: Vectors, mean: Vectors) -> Vectors:
        """(S, E) sketches, (S,) row of each one's photo, (G, E) photos, (E,) their mean -> c (E,); S may be 0."""
        prior = (self.share * mean).astype(np.float32)
        drawn = np.unique(positives)
        if not len(drawn):
            return prior
        is_of = (positives == drawn[:, None]).astype(np.float32)  # (P, S)
        counts = is_of.sum(axis=1)
        explained = self.follow * (photos[drawn] - mean)
        offsets = is_of @ sketches / counts[:, None] - explained - prior
        weights = 1 / (self.per_photo + (1 - self.per_photo) / counts)
        trust = 1 / self._distance_over_error(offsets, weights)
        centre: Vectors = (prior + weights @ offsets / (trust + weights.sum())).astype(np.float32)
        return centre

    def _distance_over_error(self, offsets: Vectors, weights: Vectors) -> float:
        """(P, E), (P,) -> 1 / trust'."""
        photos = len(offsets)
        ratio = 0.0
        # A single photo has no other to form x_i . x_j with: the learned trust alone then speaks.
        if photos > 1:
            lengths = np.einsum("pe,pe->p", offsets, offsets)
            total = offsets.sum(axis=0)
            # The sum of x_i . x_j over all i != j is the squared length of the sum, less the squared lengths.
            distance = float(total @ total - lengths.sum()) / (photos * (photos - 1))
            # |x_i|^2 exceeds U by S / w_i on average, so the weight brings every photo to the same S.
            error = float((weights * (lengths - distance)).mean())
            ratio = min(max(distance, 0.0) / max(error, 1e-9), MOST / self.trust)
        return ((photos - 1) * ratio + LEARNED / self.trust) / (photos - 1 + LEARNED + NONE)
