"""An evaluation as one JSON document; its keys are in docs/reference/evaluation.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from models.data.datasets import PairDataset
from models.evaluation.dataset_evaluation import Evaluation, Measured
from models.evaluation.intervals import LEVEL, RESAMPLES, Interval
from models.evaluation.paired import Paired
from models.evaluation.rankings import SERVED_SCORING, Scoring
from models.evaluation.reliability import Reliability


def document(
    bundle_id: str,
    dataset: PairDataset,
    evaluations: Sequence[Evaluation],
    seed: int,
    against: tuple[str, Sequence[Paired]] | None = None,
) -> dict[str, Any]:
    """Shares in [0, 1], rounded to four digits. `against`: a competitor's name, and the comparison of each split."""
    protocol = evaluations[0].protocol
    splits = {evaluation.split or "all": _split(evaluation) for evaluation in evaluations}
    if against is not None:
        for split, pair in zip(splits.values(), against[1], strict=True):
            split["against"] = _paired(pair)
    return {
        "bundle_id": bundle_id,
        **({"against": against[0]} if against is not None else {}),
        "data": dataset.name,
        "format": dataset.format,
        "protocol": protocol.value,
        "mirror": evaluations[0].mirror,
        "served_scores": SERVED_SCORING[protocol].value,
        "intervals": {"level": LEVEL, "resamples": RESAMPLES, "of": "photos", "seed": seed},
        "splits": splits,
        "findings": len(dataset.findings),
    }


def unusable_images(evaluation: Evaluation) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Sketches and photos without an embedding: name and reason of each."""
    sketches = [
        {"name": evaluation.records[row].sketch.name, "reason": reason}
        for row, reason in sorted(evaluation.unusable_sketches.items())
    ]
    keys = {row: evaluation.photos[row].key for row in evaluation.unusable_photos}
    photos = [
        {"name": f"{keys[row].category}/{keys[row].photo_id}", "reason": reason}
        for row, reason in sorted(evaluation.unusable_photos.items())
    ]
    return sketches, photos


def _split(evaluation: Evaluation) -> dict[str, Any]:
    """Figures of plain cosines, and those of the service's scores under `served`."""
    plain, served = evaluation.scored[Scoring.PLAIN], evaluation.served
    first = evaluation.category_first
    sketches, photos = unusable_images(evaluation)
    return {
        **_measured(plain.overall),
        "served": _measured(served.overall),
        "chance_at_1": round(evaluation.chance_at_1, 4),
        "category_at_1": first and {"value": round(first.value, 4), "interval": _interval(first.interval)},
        "confidence": _confidence(evaluation.reliability),
        "categories": {
            name: {**_measured(measured), "served": _measured(served.categories[name])}
            for name, measured in plain.categories.items()
        },
        "not_encoded": {"sketches": sketches, "photos": photos},
    }


def _measured(measured: Measured) -> dict[str, Any]:
    intervals = {name: _interval(interval) for name, interval in (measured.intervals or {}).items()}
    return {**measured.figures.as_dict(), "intervals": intervals or None}


def _confidence(measured: Reliability | None) -> dict[str, Any] | None:
    if measured is None:
        return None
    bins = [
        {"confidence": round(part.confidence, 4), "right": round(part.right, 4), "count": part.count}
        for part in measured.bins
    ]
    return {"calibration_error": round(measured.error, 4), "log_loss": round(measured.log_loss, 4), "bins": bins}


def _paired(pair: Paired) -> dict[str, Any]:
    ranked_first = {name: getattr(pair, name) for name in ("both", "only_this", "only_other", "neither")}
    differences = {
        name: {"value": round(difference.value, 4), "interval": _interval(difference.interval)}
        for name, difference in pair.differences.items()
    }
    return {"differences": differences, "ranked_first": ranked_first}


def _interval(interval: Interval | None) -> dict[str, float] | None:
    return None if interval is None else {end: round(value, 4) for end, value in asdict(interval).items()}
