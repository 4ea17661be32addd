"""What a run left beside its weights, as plain values for a bundle's provenance: data, start, teachers, revision."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.networks.protocol import StudentPair
from models.training.engine.run_directory import DATA_NAME
from models.training.weights.pretrained import EFFICIENTNET_LITE2_IMAGENET, PinnedWeights
from models.training.weights.start import imagenet_weights

_OF_THE_RUN = ("start_sha256", "teacher_sha256", "teachers_sha256")
_OF_THE_MACHINE = ("revision", "python", "torch", "gpus")


def run_records(weights: Path, students: StudentPair, experiment: Mapping[str, Any]) -> dict[str, Any]:
    """Of the run that wrote `weights`, as far as its directory is still there; paths of the machine are left out.

    `data`: what was trained on, see `SetContent`. `pretrained`: published weights that it began with, and `teachers`
    that are published. `run`: hashes of the students it began with and of teachers. `environment`: revision, versions.
    """
    folder = _run_directory(weights)
    config, machine = (_read(folder, name) for name in ("config.json", "environment.json"))
    data = _read(folder, DATA_NAME)
    begun = imagenet_weights(students) if experiment.get("pretrained") else ()
    photo_teacher = [EFFICIENTNET_LITE2_IMAGENET] if experiment.get("photo_teacher") else []
    return {
        "data": data if isinstance(data, list) else [],
        "pretrained": [_named(each) for each in begun],
        "published_teachers": [_named(each) for each in photo_teacher],
        "run": _some(config, _OF_THE_RUN),
        "environment": _some(machine, _OF_THE_MACHINE),
    }


def _run_directory(weights: Path) -> Path | None:
    """The directory of the run: that of the file, or two above it for kept/STEP/students.pt."""
    places = (weights.parent, *weights.resolve().parents[2:3])
    return next((place for place in places if (place / "environment.json").is_file()), None)


def _read(folder: Path | None, name: str) -> Any:
    try:
        return None if folder is None else json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _some(values: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: values[name] for name in names if values.get(name)} if isinstance(values, dict) else {}


def _named(weights: PinnedWeights) -> dict[str, str]:
    return {"package": weights.package, "version": weights.version, "terms": weights.terms}
