"""Weights predicted from a category's photos and name, by a map that other categories' pairs meta-learned.

MAML's point without gradients at run time: the map sees statistics of the photos' embeddings per channel and per cell,
and the word vector of the name, and gives the logarithm of a weight for each channel and each cell. It is learned by
the softmax over a category's photos, from the pairs of categories that are not the one it is used for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.adapters.category import category_mean
from models.arrays import Rows, Vectors

_CELLS = 25
_STEPS = 60
_RATE = 0.02
_TEMPERATURE = 0.1


@dataclass(frozen=True)
class Known:
    """A category: `sketches` (N, E), `own` (N,) the row of each one's photo, `photos` (G, E), its `word` (W,)."""

    sketches: Vectors
    own: Rows
    photos: Vectors
    word: Vectors


@dataclass(frozen=True)
class Conditioning:
    """`bias` (C + 25,), `map` (D, C + 25): of standardised statistics; `mean`, `scale` (D,) standardise them."""

    bias: Vectors
    map: Vectors
    mean: Vectors
    scale: Vectors

    @classmethod
    def of(cls, known: Sequence[Known], *, decay: float, conditioned: bool = True) -> Conditioning:
        """Learned from all of `known`. `decay`: of the map, in the loss; without `conditioned` it stays at 0."""
        told = np.stack([statistics(each.photos, each.word) for each in known])
        mean, scale = told.mean(axis=0), told.std(axis=0) + 1e-6
        inputs = torch.from_numpy(((told - mean) / scale).astype(np.float32))
        outputs = known[0].photos.shape[1] // _CELLS + _CELLS
        bias = torch.zeros(outputs, requires_grad=True)
        map_ = torch.zeros(inputs.shape[1], outputs, requires_grad=conditioned)
        learned = [bias, map_] if conditioned else [bias]
        optimiser = torch.optim.Adam(learned, lr=_RATE)
        centred = [_centred(each) for each in known]
        for _ in range(_STEPS):
            weights = bias + inputs @ map_ / inputs.shape[1] ** 0.5
            losses = [_loss(rows, log) for rows, log in zip(centred, weights, strict=True)]
            loss = torch.stack(losses).mean() + decay * (map_.square().sum() + 0.1 * bias.square().sum())
            for leaf, slope in zip(learned, torch.autograd.grad(loss, learned), strict=True):
                leaf.grad = slope
            optimiser.step()
        found = (bias.detach().numpy(), (map_.detach() / inputs.shape[1] ** 0.5).numpy())
        return cls(*found, mean.astype(np.float32), scale.astype(np.float32))

    def gains(self, photos: Vectors, word: Vectors) -> Vectors:
        """(G, E) photos, (W,) word vector of their category -> (E,) weights of the embedding's numbers."""
        log = self.bias + ((statistics(photos, word) - self.mean) / self.scale) @ self.map
        channels = photos.shape[1] // _CELLS
        gains: Vectors = np.exp(log[:channels, None] + log[None, channels:]).reshape(-1).astype(np.float32)
        return gains


def statistics(photos: Vectors, word: Vectors) -> Vectors:
    """(G, E), (W,) -> (2 C + 50 + W,): mean and deviation over photos, per channel and per cell; the word vector."""
    grid = photos.reshape(len(photos), -1, _CELLS)
    parts = [
        each
        for axis in (2, 1)
        for each in (np.abs(grid.mean(axis=0)).mean(axis=axis - 1), grid.std(axis=0).mean(axis=axis - 1))
    ]
    # Unit vectors of 800 numbers have numbers of about 0.035, those of 50 numbers of 0.14: standardised later.
    return np.concatenate([*parts, word]).astype(np.float32)


def _centred(known: Known) -> tuple[Tensor, Tensor, Tensor]:
    # About their own mean, as sketches are once there are examples: what is learned is the metric, not the centre.
    sketches, photos = known.sketches - known.sketches.mean(axis=0), known.photos - category_mean(known.photos)
    own = torch.from_numpy(np.asarray(known.own, np.int64))
    return torch.from_numpy(sketches.astype(np.float32)), torch.from_numpy(photos.astype(np.float32)), own


def _loss(rows: tuple[Tensor, Tensor, Tensor], log: Tensor) -> Tensor:
    sketches, photos, own = rows
    gains = (log[:-_CELLS, None] + log[None, -_CELLS:]).exp().reshape(-1)
    cosines = F.normalize(sketches * gains, dim=1) @ F.normalize(photos * gains, dim=1).T
    return F.cross_entropy(cosines / _TEMPERATURE, own)
