"""Confidences fitted to searches with known answers, and judged on groups that they were not fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.bundle import SearchCalibration
from models.evaluation.calibration.searches import Searches
from models.evaluation.reliability import Reliability, area_under_curve, calibration_error, log_loss, reliability

FOLDS = 5
FALSE_ALARMS = 0.1
"""Share of right first results that may be said not to fit well: the threshold is as high as that admits."""

NONSENSE_WEIGHT = 0.5
"""Of drawings of nothing, where each split of drawings of something has 1. On the splits of the shipped recipe, first
results above 0.5 fall from 25 to 7 % of drawings of nothing, and from 49 to 40 % of drawings with a right first result,
while the calibration error falls from 8.8 to 7.7 points; with a weight of 1 these are 4, 34 and 8.4."""

_RIDGE = 1e-4
_STEPS = 50
_SMALLEST_SLOPE = 1e-3  # a temperature has to be positive, for scores that say nothing, too


@dataclass(frozen=True)
class Fitted:
    """`calibration`, fitted on everything, and what cross-fitting says of it: `reliability` of the first results."""

    calibration: SearchCalibration
    reliability: Reliability


def fit_calibration(domains: Sequence[Searches], *, use_likeness: bool) -> Fitted | None:
    """Searches of several domains, each of which counts the same -> a calibration; None without right and wrong ones.

    Probabilities are fitted where a right photo was there to be found, and to drawings of nothing, by logistic
    regression on the first results.
    The threshold needs the others, too. Its figures, as all others, come from probabilities of groups that were left
    out of the fit.
    """
    left_out = _cross_fitted(domains, use_likeness)
    coefficients = _coefficients(domains, use_likeness)
    if coefficients is None or left_out is None:
        return None
    hits = np.concatenate([p[part.present & part.right] for p, part in zip(left_out, domains, strict=True)])
    weights = np.concatenate([_evenly(part.present & part.right) for part in domains])
    threshold = _quantile(hits, weights, FALSE_ALARMS)
    figures = {part.domain: _figures(part, p, threshold) for p, part in zip(left_out, domains, strict=True) if len(p)}
    slope, reference, agreement, offset = coefficients
    calibration = SearchCalibration(
        temperature=1 / slope,
        reference=reference,
        agreement=agreement,
        offset=offset,
        threshold=round(threshold, 4),
        metrics={"cross_fitted": {"folds": FOLDS, **figures}},
    )
    there = [part.present for part in domains]
    names = np.concatenate([part.groups[mask] for part, mask in zip(domains, there, strict=True)])
    return Fitted(
        calibration,
        reliability(
            np.concatenate([p[mask] for p, mask in zip(left_out, there, strict=True)]),
            np.concatenate([part.right[mask] for part, mask in zip(domains, there, strict=True)]),
            np.unique(names, return_inverse=True)[1].astype(np.int64),
        ),
    )


def _figures(part: Searches, confidences: NDArray[np.float64], threshold: float) -> dict[str, float]:
    """Of one domain, on confidences by fits without its groups; `before`: the score itself taken for a probability.

    `confident`: the share of first results above 0.5, of drawings of nothing the share that is wrong with confidence.
    """
    there, absent = part.present, ~part.present
    right, raw = part.right[there], np.clip(part.scores[there, 0], 0, 1)
    figures = {
        "searches": float(there.sum() or absent.sum()),
        "confident": float((confidences[part.fitted] > 0.5).mean()),
    }
    if there.any():
        figures |= {
            "right": float(right.mean()),
            "error_before": calibration_error(raw, right),
            "error": calibration_error(confidences[there], right),
            "log_loss": log_loss(confidences[there], right),
        }
    if right.any():
        figures["false_alarms"] = float((confidences[there][right] < threshold).mean())
    if absent.any():
        figures["misses"] = float((confidences[absent] >= threshold).mean())
    if right.any() and absent.any():
        figures["auc"] = area_under_curve(confidences[there][right], confidences[absent])
    return {name: round(value, 4) for name, value in figures.items()}


def _cross_fitted(domains: Sequence[Searches], use_likeness: bool) -> list[NDArray[np.float64]] | None:
    """(Q,) confidences of each domain, by fits without the query's group; None where a fit is not possible."""
    names = sorted({name for part in domains for name in part.groups.tolist()})
    folds = dict(zip(np.random.default_rng(0).permutation(names).tolist(), np.arange(len(names)) % FOLDS, strict=True))
    results = [np.zeros(len(part.right)) for part in domains]
    for fold in range(min(FOLDS, len(names))):
        inside = [np.array([folds[name] == fold for name in part.groups.tolist()], bool) for part in domains]
        rest = [_chosen(part, ~mask) for part, mask in zip(domains, inside, strict=True)]
        coefficients = _coefficients(rest, use_likeness)
        if coefficients is None:
            return None
        for result, part, mask in zip(results, domains, inside, strict=True):
            result[mask] = _probabilities(_inputs(part) @ np.array(coefficients))[mask]
    return results


def _coefficients(domains: Sequence[Searches], use_likeness: bool) -> tuple[float, float, float, float] | None:
    """Slope of the score, of the mean, of the likeness, and the offset: weighted logistic regression by Newton steps.

    None without right and wrong results to tell apart.
    """
    inputs = np.concatenate([_inputs(part)[part.fitted] for part in domains])
    right = np.concatenate([part.right[part.fitted] for part in domains])
    shares = [NONSENSE_WEIGHT if part.nonsense else 1.0 for part in domains]
    weights = np.concatenate([w * _evenly(p.fitted)[p.fitted] for w, p in zip(shares, domains, strict=True)])
    if not right.any() or right.all():
        return None
    used = [0, 1, 2] if use_likeness else [0, 1]
    centre, spread = inputs[:, used].mean(axis=0), inputs[:, used].std(axis=0) + 1e-9
    x = np.column_stack([(inputs[:, used] - centre) / spread, np.ones(len(inputs))])
    w = weights / weights.sum()
    ridge = np.diag([_RIDGE] * len(used) + [0.0])
    b = np.zeros(len(used) + 1)
    for _ in range(_STEPS):
        p = _probabilities(x @ b)
        hessian = (x * (w * p * (1 - p))[:, None]).T @ x + ridge + 1e-9 * np.eye(len(b))
        step = np.linalg.solve(hessian, x.T @ (w * (right - p)) - ridge @ b)
        b += step
        if np.abs(step).max() < 1e-9:
            break
    slopes = np.zeros(3)
    slopes[used] = b[:-1] / spread
    offset = float(b[-1] - (b[:-1] * centre / spread).sum())
    return max(float(slopes[0]), _SMALLEST_SLOPE), float(slopes[1]), float(slopes[2]), offset


def _inputs(part: Searches) -> NDArray[np.float64]:
    """(Q, 4): the best score, the mean of the ten best, the likeness, and 1."""
    count = np.maximum(1, np.isfinite(part.scores).sum(axis=1))
    mean = np.nansum(part.scores, axis=1) / count
    best = np.nan_to_num(part.scores[:, 0], nan=-1.0)
    return np.column_stack([best, mean, part.likeness, np.ones(len(mean))])


def _chosen(part: Searches, mask: NDArray[np.bool_]) -> Searches:
    return replace(
        part,
        scores=part.scores[mask],
        likeness=part.likeness[mask],
        right=part.right[mask],
        present=part.present[mask],
        groups=part.groups[mask],
    )


def _evenly(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(Q,) -> (Q,) weights of those in the mask, 1 in all."""
    return mask / max(1, int(mask.sum()))


def _quantile(values: NDArray[np.float64], weights: NDArray[np.float64], share: float) -> float:
    """The largest of the values below which no more than `share` of the weight lies."""
    weights = weights[weights > 0]
    order = np.argsort(values)
    below = np.cumsum(weights[order]) - weights[order]
    return float(values[order][below <= share * weights.sum()].max())


def _probabilities(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    result: NDArray[np.float64] = 0.5 * (1 + np.tanh(0.5 * logits))
    return result
