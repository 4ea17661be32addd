"""Figures of a bundle on the validation splits, computed through its ONNX files as the service would."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from models.evaluation.features import Features
from models.evaluation.protocol import Figures, measure
from models.evaluation.splits import STANDARD_SPLITS, ValidationSplit, load_galleries


def evaluate(features: Features, data: Path, splits: Sequence[ValidationSplit] = STANDARD_SPLITS) -> dict[str, Figures]:
    """The figures of each split. Raises PairsError."""
    return {
        name: measure(galleries, features.sketches, features.photos)
        for name, galleries in load_galleries(data, splits).items()
    }
