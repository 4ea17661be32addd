"""Accuracy and cost of several bundles.

Accuracy is what each manifest says was measured through the bundle's files; the cost of a sketch is measured here, all
bundles taking turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.bundle import Bundle, Runtime
from models.errors import InkseekError
from models.studies.trade_off.encoder_cost import TimedEncoder, cpu_milliseconds
from models.studies.trade_off.entry import TradeOffEntry


class FiguresMissing(InkseekError):
    """A bundle's manifest has no figures that compare with the others'."""


def measure_trade_off(bundles: Sequence[str | Path], rounds: int = 20) -> list[TradeOffEntry]:
    """An entry per bundle, in the order given, on the splits that all were measured on.

    `bundles`: names or directories; costs are relative to the first. `rounds`: how often each encodes while it is
    timed. Raises BundleError, FiguresMissing.
    """
    loaded = [Bundle.load(bundle, Runtime(device="cpu", threads=1)) for bundle in bundles]
    accuracies = [_accuracy(bundle) for bundle in loaded]
    shared = [split for split in accuracies[0] if all(split in accuracy for accuracy in accuracies)]
    if not shared:
        raise FiguresMissing("these bundles were measured on no split in common")
    encoders = {
        # By number and not by id, since the same bundle may be given twice.
        str(number): TimedEncoder(bundle.sketch.encode, bundle.sketch.preprocess.size_px)
        for number, bundle in enumerate(loaded)
    }
    spent = list(cpu_milliseconds(encoders, rounds=rounds).values())
    return [
        TradeOffEntry(
            name=bundle.bundle_id,
            sketch_ms=milliseconds,
            cost=milliseconds / spent[0],
            megabytes=_encoder_bytes(bundle) / 1e6,
            accuracy={split: accuracy[split] for split in shared},
        )
        for bundle, accuracy, milliseconds in zip(loaded, accuracies, spent, strict=True)
    ]


def _accuracy(bundle: Bundle) -> dict[str, float]:
    splits: dict[str, dict[str, Any]] = bundle.manifest.metrics.get("splits", {})
    accuracy = {name: row["centred"]["acc_at_1"] for name, row in splits.items() if "centred" in row}
    if not accuracy:
        raise FiguresMissing(f"{bundle.bundle_id}: its manifest has no figures of searches within a category")
    return accuracy


def _encoder_bytes(bundle: Bundle) -> int:
    manifest = bundle.manifest
    return sum(manifest.files[spec.file].bytes for spec in (manifest.sketch, manifest.photo))
