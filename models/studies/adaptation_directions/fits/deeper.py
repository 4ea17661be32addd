"""Deeper ways: the last projection tuned on pairs and drawings, as served, and from the trunk's features on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.adapters import Drawings, ProjectionRule
from models.adapters.adapter import unit_rows
from models.adapters.deep import deepened
from models.adapters.fit import PreparedCategory
from models.adapters.state import Adaptation
from models.arrays import Rows, Vectors

_CELLS = 25


def prepared_deep(
    adaptation: Adaptation, sketches: Vectors, positives: Rows, photos: Vectors, drawn: Vectors
) -> PreparedCategory:
    """(S, E), (S,), (G, E), (G, D, E) drawings of the photos -> the category with its projection tuned, as served."""
    owners = np.repeat(np.arange(len(photos)), drawn.shape[1])
    drawings = Drawings(drawn.reshape(-1, drawn.shape[2]), owners)
    return deepened(adaptation.prepare(photos), sketches, positives, drawings, ProjectionRule())


@dataclass(frozen=True)
class TrunkRule:
    """Steps from W on: the sketch encoder alone; the photos stay as they are. `strength`: of |W' - W|^2."""

    strength: float = 1.0
    temperature: float = 0.2
    pair_share: float = 0.3
    rate: float = 2e-4
    steps: int = 15


@dataclass(frozen=True)
class TunedTrunk:
    """v(sketch) = turn((layout + cells @ `change`) * gains - centre); `change` (C', C): W' - W, for all cells.

    `scale`: root mean square of the trunk's features, which they are divided by; `mean` (25, C'): of the examples',
    which are subtracted.
    """

    change: Vectors
    mean: Vectors
    scale: float

    def moved(self, layout: Vectors, cells: Vectors) -> Vectors:
        """(N, E) layouts, (N, C' * 25) what they were projected from -> (N, E), not of length 1."""
        grid = _by_cell(cells, len(self.change)) / self.scale - self.mean
        moved: Vectors = np.add(
            layout, (grid @ self.change).transpose(0, 2, 1).reshape(len(layout), -1), dtype=np.float32
        )
        return moved


@dataclass(frozen=True)
class Shown:
    """Sketches or drawings: `layout` (N, E), `cells` (N, C' * 25), `own` (N,) the row of each one's photo."""

    layout: Vectors
    cells: Vectors
    own: Rows


def tuned_trunk(category: PreparedCategory, pairs: Shown, drawings: Shown, rule: TrunkRule) -> TunedTrunk:
    """As `models.adapters.deep` tunes K, with W itself free: pairs among each other's photos, drawings among all."""
    channels = pairs.cells.shape[1] // _CELLS
    scale = float(np.sqrt(np.square(drawings.cells).mean())) or 1.0
    told = [each for each in (pairs, drawings) if len(np.unique(each.own)) > 1]
    grids = [_by_cell(each.cells, channels) / scale for each in told]
    means = [_mean(grid, each.own) for grid, each in zip(grids, told, strict=True)]
    gains = np.ones(category.photos.shape[1], np.float32) if category.gains is None else category.gains
    layouts = [each.layout * gains for each in told]
    x = np.concatenate([grid - mean for grid, mean in zip(grids, means, strict=True)])
    base = np.concatenate([rows - _mean(rows, each.own) for rows, each in zip(layouts, told, strict=True)])
    own = np.concatenate([each.own for each in told])
    of_pairs = own[: len(own) - len(drawings.own)]
    weights = [rule.pair_share / len(np.unique(of_pairs)) / (of_pairs == photo).sum() for photo in of_pairs]
    weighed = np.array([*weights, *np.full(len(drawings.own), 1 / len(drawings.own))], np.float32)
    far = np.zeros((len(own), len(category.features)), np.float32)
    far[: len(of_pairs)] = np.where(np.isin(np.arange(far.shape[1]), of_pairs), 0, -1e9)
    change = np.zeros((channels, category.photos.shape[1] // _CELLS), np.float32)
    flat, photos = x.reshape(-1, channels), category.features
    for _ in range(rule.steps):
        moved = (x @ change).transpose(0, 2, 1).reshape(len(x), -1) * gains
        turned = category.frame.turn((base + moved).astype(np.float32))
        lengths = np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-9)
        unit = turned / lengths
        logits = unit @ photos.T / rule.temperature + far
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        shares[np.arange(len(shares)), own] -= 1
        toward = (weighed[:, None] * shares) @ photos / rule.temperature
        across = (toward - (toward * unit).sum(axis=1, keepdims=True) * unit) / lengths
        slope = flat.T @ _by_cell(category.frame.turn(across.astype(np.float32)) * gains, change.shape[1]).reshape(
            -1, change.shape[1]
        )
        change = (change - rule.rate * (slope + rule.strength * change)).astype(np.float32)
    return TunedTrunk(change, means[0], scale)


def embedded(
    category: PreparedCategory, tuned: TunedTrunk, layout: Vectors, cells: Vectors, centre: Vectors
) -> Vectors:
    """(N, E) sketches, their trunk's features, the sketches' centre (E,) -> (N, E), rows of length 1."""
    moved = tuned.moved(layout, cells)
    moved = moved if category.gains is None else moved * category.gains
    return unit_rows(category.frame.turn((moved - centre).astype(np.float32)))


def _mean(rows: Vectors, own: Rows) -> Vectors:
    mean: Vectors = np.mean([rows[own == photo].mean(axis=0) for photo in np.unique(own)], axis=0)
    return mean


def _by_cell(rows: Vectors, channels: int) -> Vectors:
    """(N, channels * 25) -> (N, 25, channels)."""
    by_cell: Vectors = np.ascontiguousarray(rows.reshape(len(rows), channels, _CELLS).transpose(0, 2, 1))
    return by_cell
