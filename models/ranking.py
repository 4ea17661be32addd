"""Ranks and top lists with ties, the same in training, evaluation, the adaptation gate and the export's parity gate.

A tie counts against the query: among scores that are equal to the right photo's, or nearer to it than TIE, the right
photo comes last. An encoder that gives every photo the same score is then last, not first. Lists name the lower row
first among equal scores, as the index does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.arrays import Rows

TIE = 1e-6
"""Cosines nearer than this are a tie. The embeddings of two copies of a photo differ in their last bits, by where in a
batch and in a matrix product they stood; without it chance would decide between them."""


def ranks_of(scores: NDArray[np.floating], targets: Rows, tie: float = TIE) -> Rows:
    """(Q, G) scores, higher is better, (Q,) column of each query's right photo -> (Q,) ranks in [1, G].

    The rank is the number of photos, the right one included, whose score is not below the right photo's by more than
    `tie`. A score that is not a number counts against the query wherever it stands.
    """
    own = scores[np.arange(len(scores)), targets]
    result: Rows = (~(scores < own[:, None] - tie)).sum(axis=1)
    return result


def best_ranks_of(scores: NDArray[np.floating], right: NDArray[np.bool_], tie: float = TIE) -> Rows:
    """(Q, G) scores, (Q, G) which photos are right -> (Q,) rank of the best right one, in [1, G].

    One more than the wrong photos whose score is not below it by more than `tie`; right photos do not count against
    each other. The rank is G + 1 where no photo is right.
    """
    best = np.where(right & ~np.isnan(scores), scores, -np.inf).max(axis=1, initial=-np.inf)
    wrong_before = ~right & ~(scores < best[:, None] - tie)
    result: Rows = 1 + wrong_before.sum(axis=1)
    return result


def top_columns(scores: NDArray[np.floating], k: int) -> Rows:
    """(Q, G) scores -> (Q, min(k, G)) columns of the highest, the best first, of equal scores the lower column first.

    What is not a number comes last.
    """
    known = np.where(np.isnan(scores), -np.inf, scores)
    count = min(k, scores.shape[1])
    if count == scores.shape[1]:
        result: Rows = np.argsort(-known, axis=1, kind="stable")
        return result
    # A partition alone would choose freely among scores that equal the last one of the list.
    lowest = -np.partition(-known, count - 1, axis=1)[:, count - 1]
    top = np.empty((len(scores), count), dtype=np.int64)
    for row, (values, threshold) in enumerate(zip(known, lowest, strict=True)):
        columns = np.flatnonzero(values >= threshold)
        top[row] = columns[np.argsort(-values[columns], kind="stable")[:count]]
    return top
