"""What a category's sketches share, from a few of them: a prior and a mean, weighed by how much either is trusted.

A sketch hardly moves with its photo: with m the photos' mean, sketches of photo p lie around c + follow * (p - m).
Taken as it is, the mean of the sketches at hand would draw every query towards their own photos; less what they owe to
those it is an estimate of c. With c normal around `share` * m, and an error of its photo and of its own in each sketch,

    c = (trust * share * m + sum_i w_i d_i) / (trust + sum_i w_i),      w_i = 1 / (per_photo + (1 - per_photo) / n_i)

where photo i has n_i sketches whose mean, less follow * (p_i - m), is d_i.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]


class CentrePrior(BaseModel):
    """The scalars of the formula above; all learned across categories."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float = 1.0
    follow: float = 0.15
    trust: float = Field(default=1.0, gt=0)
    per_photo: float = Field(default=0.5, ge=0, le=1)

    def centre(self, sketches: Vectors, positives: Rows, photos: Vectors, mean: Vectors) -> Vectors:
        """(S, E) sketches, (S,) each one's photo among (G, E), (E,) the photos' mean -> c (E,). S may be 0."""
        total, weight = self.trust * self.share * mean, self.trust
        for photo in np.unique(positives):
            own = sketches[positives == photo]
            counts = 1.0 / (self.per_photo + (1 - self.per_photo) / len(own))
            total = total + counts * (own.mean(axis=0) - self.follow * (photos[photo] - mean))
            weight += counts
        centre: Vectors = (total / weight).astype(np.float32)
        return centre
