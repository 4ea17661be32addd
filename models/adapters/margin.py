"""The margin of an episode, predicted from its support pairs: a set encoder that ends in a sigmoid.

Adaptive FG-SBIR (ECCV 2022) meta-learns the margin of the inner loss. The same network in torch, where it is trained,
is `models.training.recipes.adaptive.margin`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.adapters.adapter import unit_rows
from models.adapters.inner_step import Support, pairwise_distances
from models.arrays import Vectors

PAIR_FEATURES = 3


@dataclass(frozen=True)
class MarginPredictor:
    """Per pair: tanh of a linear layer; mean over the pairs; tanh of a second one; sigmoid of a third.

    A pair is described by what no choice of axes changes: its distance, that of its nearest and of its mean negative.
    `inner_weight` (3, H), `inner_bias` (H,), `outer_weight` (H, H), `outer_bias` (H,), `last_weight` (H,),
    `last_bias` (1,).
    """

    inner_weight: Vectors
    inner_bias: Vectors
    outer_weight: Vectors
    outer_bias: Vectors
    last_weight: Vectors
    last_bias: Vectors

    @classmethod
    def constant(cls, margin: float, hidden: int = 8) -> MarginPredictor:
        """The network that predicts `margin`, in (0, 1), for every support set; `hidden`: width H of its layers."""
        logit = np.log(margin / (1 - margin))
        # Weights of zero let nothing through but the last bias, so every support set gets the same margin.
        zeros = np.zeros
        return cls(
            zeros((PAIR_FEATURES, hidden), np.float32),
            zeros(hidden, np.float32),
            zeros((hidden, hidden), np.float32),
            zeros(hidden, np.float32),
            zeros(hidden, np.float32),
            np.array([logit], np.float32),
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Vectors]) -> MarginPredictor:
        """The inverse of `arrays`, whose shapes it checks. Raises KeyError, ValueError."""
        loaded = cls(**{name: arrays[f"margin.{name}"] for name in cls.__dataclass_fields__})
        # A network of the same width has the shapes that belong together, so they are written down only once.
        expected = cls.constant(0.5, hidden=len(loaded.inner_bias)).arrays()
        for name, array in loaded.arrays().items():
            if array.shape != expected[name].shape:
                raise ValueError(f"{name} has shape {array.shape}, expected {expected[name].shape}")
        return loaded

    def arrays(self) -> dict[str, Vectors]:
        """Parameters by the name that they are stored under, such as `margin.inner_weight`."""
        return {f"margin.{name}": getattr(self, name) for name in self.__dataclass_fields__}

    def predict(self, head: Vectors | None, support: Support) -> float:
        """M (E, E') before the step, None for the identity, and the support pairs -> the margin, in (0, 1)."""
        pairs = pair_features(head, support)
        # The mean makes the margin independent of the order and the number of the pairs.
        hidden = np.tanh(pairs @ self.inner_weight + self.inner_bias).mean(axis=0)
        hidden = np.tanh(hidden @ self.outer_weight + self.outer_bias)
        return float(1 / (1 + np.exp(-(hidden @ self.last_weight + self.last_bias[0]))))


def pair_features(head: Vectors | None, support: Support) -> Vectors:
    """M (E, E'), None for the identity, and S support pairs -> (S, 3) Euclidean distances of unit vectors after M.

    Each sketch's to its own photo, to its nearest negative, and to its negatives on average; 2, the largest that there
    is, where it has no negative.
    """
    sketches, photos = (unit_rows(rows if head is None else rows @ head) for rows in (support.sketches, support.photos))
    distances = pairwise_distances(sketches, photos)
    own = np.take_along_axis(distances, support.positives[:, None], axis=1)[:, 0]
    negatives = support.negatives()
    others = np.maximum(negatives.sum(axis=1), 1)
    nearest = np.where(negatives, distances, 2.0).min(axis=1)
    mean = np.where(negatives.any(axis=1), (distances * negatives).sum(axis=1) / others, 2.0)
    features: Vectors = np.stack([own, nearest, mean], axis=1).astype(np.float32)
    return features
