"""Accuracy against cost: several bundles beside each other, as a table and as a page with plots.

    python -m models.studies.trade_off.command BUNDLE BUNDLE ... [--out PAGE.html]

Accuracy is what each manifest says was measured through the bundle's files; the cost of a sketch is measured here, all
bundles taking turns. The first bundle is what the others' costs are compared with.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.bundle import Bundle, Runtime
from models.errors import InkseekError
from models.studies.trade_off.encoder_cost import Contender, cpu_milliseconds
from models.studies.trade_off.page import trade_off_page
from models.studies.trade_off.standing import Standing, markdown


class FiguresMissing(InkseekError):
    """A bundle's manifest holds no figures that can be put beside the others'."""


def standings(paths: Sequence[Path], rounds: int = 20) -> list[Standing]:
    """Where each bundle stands, in the order given. Raises BundleError, FiguresMissing."""
    bundles = [Bundle.load(path, Runtime(device="cpu", threads=1)) for path in paths]
    accuracies = [_accuracy(bundle) for bundle in bundles]
    shared = [split for split in accuracies[0] if all(split in accuracy for accuracy in accuracies)]
    if not shared:
        raise FiguresMissing("these bundles were measured on no split in common")
    contenders = {
        str(number): Contender(bundle.sketch.encode, bundle.sketch.preprocess.size_px)
        for number, bundle in enumerate(bundles)
    }
    spent = list(cpu_milliseconds(contenders, rounds=rounds).values())
    return [
        Standing(
            name=bundle.bundle_id,
            sketch_ms=milliseconds,
            ratio=milliseconds / spent[0],
            megabytes=_encoder_bytes(bundle) / 1e6,
            accuracy={split: accuracy[split] for split in shared},
        )
        for bundle, accuracy, milliseconds in zip(bundles, accuracies, spent, strict=True)
    ]


def _accuracy(bundle: Bundle) -> dict[str, float]:
    splits: dict[str, dict[str, Any]] = bundle.manifest.metrics.get("splits", {})
    found = {name: row["centred"]["acc_at_1"] for name, row in splits.items() if "centred" in row}
    if not found:
        raise FiguresMissing(f"{bundle.bundle_id}: its manifest says nothing of searches within a category")
    return found


def _encoder_bytes(bundle: Bundle) -> int:
    manifest = bundle.manifest
    return sum(manifest.files[spec.file].bytes for spec in (manifest.sketch, manifest.photo))


def main(arguments: list[str] | None = None) -> int:
    """Command line. Exit code 2: a bundle cannot be used or compared."""
    parser = argparse.ArgumentParser(prog="python -m models.studies.trade_off.command", description=__doc__)
    parser.add_argument("bundles", type=Path, nargs="+", metavar="BUNDLE")
    parser.add_argument("--out", type=Path, help="write a page with plots there")
    parser.add_argument("--rounds", type=int, default=20, help="how often each encodes while it is timed")
    given = parser.parse_args(arguments)
    try:
        rows = standings(given.bundles, given.rounds)
    except InkseekError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write(markdown(rows) + "\n")
    if given.out is not None:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(trade_off_page(rows), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
