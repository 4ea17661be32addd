"""Which inputs a linear map can do without, and the map that does without them.

Removing an input costs what the others cannot make up for: after each removal the remaining weights are fitted anew by
least squares, and the input whose removal then costs least is the next. Hassibi and Stork, "Second Order Derivatives
for Network Pruning: Optimal Brain Surgeon", NIPS 1992, for a loss that is quadratic because the map is linear.

Weights that move far are held back. Inputs that are nearly alike would else get huge weights that cancel each other;
rounded to 8 bits, such weights took an encoder's kinds from 28 to 8 % first hits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Moments = NDArray[np.float64]

_SILENT = 1e-3  # of the allowed error, for all that is left out as saying nothing
_RIDGE = 1e-3  # of the mean variance, on moved weights: what keeps them near those that were trained


@dataclass(frozen=True)
class Fitted:
    """`kept` (K,): ascending numbers of the inputs that stay. `weights` (C, K) and `shift` (C,): their map.

    `error`: mean over samples of the squared difference that is left, summed over outputs, and what holds weights back.
    """

    kept: NDArray[np.intp]
    weights: Moments
    shift: Moments
    error: float


def fit_fewer(weights: Moments, mean: Moments, covariance: Moments, allowed: float, multiple: int) -> Fitted:
    """Leave as many inputs out as the error allows.

    `weights` (C, H); `mean` (H,) and `covariance` (H, H): of the inputs. `allowed`: the largest error, as `Fitted`
    counts it. `multiple`: the number that stays is a multiple of it, or H.
    """
    count = covariance.shape[0]
    order, errors = _removals(weights, covariance, allowed)
    removed = len(order)
    while removed and (count - removed) % multiple:
        removed -= 1
    kept = np.setdiff1d(np.arange(count), order[:removed])
    ridge = held_back(covariance)
    inner = covariance[np.ix_(kept, kept)] + ridge * np.eye(len(kept))
    fitted = np.linalg.solve(inner, covariance[kept] @ weights.T + ridge * weights[:, kept].T).T
    return Fitted(kept, fitted, weights @ mean - fitted @ mean[kept], errors[removed - 1] if removed else 0.0)


def _removals(weights: Moments, covariance: Moments, allowed: float) -> tuple[list[int], list[float]]:
    """Inputs in the order in which they leave, and the error after each, up to the last that is allowed."""
    count = covariance.shape[0]
    # What says nothing leaves first, for what it says: what holds weights back is not for those that go.
    spoken = np.square(weights).sum(axis=0) * np.diag(covariance)
    there = spoken > _SILENT * allowed / count
    there[int(spoken.argmax())] = True
    order: list[int] = np.flatnonzero(~there).tolist() if allowed >= 0 else []
    errors: list[float] = np.cumsum(spoken[order]).tolist()
    total = errors[-1] if errors else 0.0
    both = np.outer(there, there)
    inverse = np.linalg.inv(covariance * both + held_back(covariance) * np.eye(count)) * (
        both | np.eye(count, dtype=bool)
    )
    left = weights * there
    while len(order) < count - 1:
        costs = np.where(there, np.square(left).sum(axis=0) / np.diag(inverse), np.inf)
        least = int(costs.argmin())
        total += float(costs[least])
        if total > allowed:
            break
        there[least] = False
        column = inverse[:, least] / inverse[least, least]
        left -= np.outer(left[:, least], column)
        inverse -= np.outer(column, inverse[least])
        # What has left takes no part from here on; rounding would bring it back.
        left[:, least] = inverse[least] = inverse[:, least] = 0.0
        inverse[least, least] = 1.0
        order.append(least)
        errors.append(total)
    return order, errors


def held_back(covariance: Moments) -> float:
    """What a weight's squared move counts, beside the squared difference of outputs."""
    return _RIDGE * float(np.diag(covariance).mean()) + np.finfo(np.float64).tiny
