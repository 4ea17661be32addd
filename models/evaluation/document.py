"""An evaluation as one JSON document; its keys are in docs/evaluation.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from models.data.datasets import PairDataset
from models.evaluation.dataset_evaluation import Evaluation, Measured
from models.evaluation.intervals import LEVEL, RESAMPLES, Interval
from models.evaluation.paired import Paired
from models.evaluation.ranking import SERVED, Scoring


def document(
    bundle_id: str,
    dataset: PairDataset,
    evaluations: Sequence[Evaluation],
    seed: int,
    against: tuple[str, Sequence[Paired]] | None = None,
) -> dict[str, Any]:
    """Shares in [0, 1], rounded to four digits. `against`: another's name, and each evaluation beside its own."""
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
        "served_scores": SERVED[protocol].value,
        "intervals": {"level": LEVEL, "resamples": RESAMPLES, "of": "photos", "seed": seed},
        "splits": splits,
        "findings": len(dataset.findings),
    }


def refusals(evaluation: Evaluation) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Sketches and photos that gave no vector: name and reason of each."""
    sketches = [
        {"name": evaluation.records[row].sketch.name, "reason": reason}
        for row, reason in sorted(evaluation.refused_sketches.items())
    ]
    keys = {row: evaluation.photos[row].key for row in evaluation.refused_photos}
    photos = [
        {"name": f"{keys[row].category}/{keys[row].photo_id}", "reason": reason}
        for row, reason in sorted(evaluation.refused_photos.items())
    ]
    return sketches, photos


def _split(evaluation: Evaluation) -> dict[str, Any]:
    """Figures of plain cosines, as they always were, and those of the service under `served`."""
    plain, served = evaluation.scored[Scoring.PLAIN], evaluation.served
    sketches, photos = refusals(evaluation)
    return {
        **_measured(plain.overall),
        "served": _measured(served.overall),
        "chance_at_1": round(evaluation.chance_at_1, 4),
        "categories": {
            name: {**_measured(measured), "served": _measured(served.categories[name])}
            for name, measured in plain.categories.items()
        },
        "not_encoded": {"sketches": sketches, "photos": photos},
    }


def _measured(measured: Measured) -> dict[str, Any]:
    intervals = {name: _interval(interval) for name, interval in (measured.intervals or {}).items()}
    return {**measured.figures.as_dict(), "intervals": intervals or None}


def _paired(pair: Paired) -> dict[str, Any]:
    found_first = {name: getattr(pair, name) for name in ("both", "only_this", "only_other", "neither")}
    differences = {
        name: {"value": round(difference.value, 4), "interval": _interval(difference.interval)}
        for name, difference in pair.differences.items()
    }
    return {"differences": differences, "found_first": found_first}


def _interval(interval: Interval | None) -> dict[str, float] | None:
    return None if interval is None else {end: round(value, 4) for end, value in asdict(interval).items()}
