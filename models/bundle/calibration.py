"""What a score means: the probability that a result is right, as it was measured on drawings with known answers.

A cosine of 0.6 is a good match for one drawing and a poor one for another, since a sparse or odd drawing is far from
every photo. So a score is compared with those next to it: a result is right with the probability

    p = 1 / (1 + exp(-(score / T + reference * mean of the ten best scores + agreement * likeness + offset)))

T is a temperature (Platt, Probabilistic Outputs for Support Vector Machines, 1999; Guo et al., On Calibration of
Modern Neural Networks, 2017). The likeness is the mean cosine of the best photo with the nine after it: ten scores that
are equally high speak against the best one where the photos differ, and for it where all show the same kind of thing.
Within one answer p falls with the score, so it never changes the order of results.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from models.arrays import Vectors

CALIBRATION_DEPTH = 10
"""How many of the best scores a calibration looks at; fewer where fewer photos were searched."""


class SearchCalibration(BaseModel):
    """The calibration of one kind of search.

    `temperature`, `reference`, `agreement`, `offset`: of the formula above. `threshold`: where the best result's
    probability is below it, probably no photo matches. `metrics`: how well it holds for queries that it was not fitted
    on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: float = Field(gt=0, allow_inf_nan=False)
    reference: float = Field(allow_inf_nan=False)
    agreement: float = Field(default=0.0, allow_inf_nan=False)
    offset: float = Field(allow_inf_nan=False)
    threshold: float = Field(ge=0, le=1)
    metrics: dict[str, Any] = Field(default_factory=dict)

    def confidences(self, scores: Vectors, likeness: float = 0.0) -> NDArray[np.float64]:
        """(K,) scores, best first, the CALIBRATION_DEPTH best at least where there are so many -> (K,) in [0, 1]."""
        if not len(scores):
            return np.empty(0)
        mean = float(scores[:CALIBRATION_DEPTH].mean(dtype=np.float64))
        shared = self.reference * mean + self.agreement * likeness + self.offset
        logits = scores.astype(np.float64) / self.temperature + shared
        # tanh, because exp overflows far below zero.
        result: NDArray[np.float64] = 0.5 * (1 + np.tanh(0.5 * logits))
        return result

    def matches(self, best: float) -> bool:
        """Whether a best result of this probability is likely to be right."""
        return best >= self.threshold


def likeness(photos: Vectors) -> float:
    """(K, E) unit embeddings, best result first -> mean cosine of the first with those after it, 0 without any."""
    return float((photos[1:] @ photos[0]).mean()) if len(photos) > 1 else 0.0


class ScoreCalibration(BaseModel):
    """The calibrations of a bundle, each None where it was not fitted.

    `everything`: a search over several categories, a result is right if it shows the kind of thing that was drawn.
    `kind`: the same with the focus on the kind. `category`: a search within one category, a result is right if it is
    the very photo. `provenance`: what they were fitted on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    everything: SearchCalibration | None = None
    kind: SearchCalibration | None = None
    category: SearchCalibration | None = None
    provenance: dict[str, Any] = Field(default_factory=dict)
