"""Figures of a bundle, computed through its ONNX files as the service would.

python -m models.evaluation.evaluate --bundle DIR --data DIR [--json]
python -m models.evaluation.evaluate --hog --data DIR [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from models.bundle import Bundle, InkseekError
from models.evaluation.features import Features, bundle_features, hog_features
from models.evaluation.protocol import Figures, measure
from models.evaluation.splits import STANDARD_SPLITS, ValidationSplit, load_galleries


def evaluate(features: Features, data: Path, splits: Sequence[ValidationSplit] = STANDARD_SPLITS) -> dict[str, Figures]:
    """The figures of each split. Raises PairsError."""
    return {
        name: measure(galleries, features.sketches, features.photos)
        for name, galleries in load_galleries(data, splits).items()
    }


def _table(figures: dict[str, Figures]) -> str:
    lines = [f"{'split':<20}{'queries':>8}{'photos':>8}{'acc@1':>8}{'acc@5':>8}{'acc@10':>8}{'mAP':>8}{'rank':>8}"]
    for name, row in figures.items():
        shares = (row.acc_at_1, row.acc_at_5, row.acc_at_10, row.mean_average_precision)
        numbers = "".join(f"{100 * share:>8.1f}" for share in shares)
        lines.append(f"{name:<20}{row.queries:>8}{row.photos:>8}{numbers}{row.mean_rank:>8.2f}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Command line. Exit code 2: the bundle or the data cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m models.evaluation.evaluate", description=__doc__)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--bundle", type=Path, help="a bundle; without it the shipped one")
    source.add_argument("--hog", action="store_true", help="measure the HOG matcher instead of a bundle")
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds the data sets")
    parser.add_argument("--json", action="store_true", help="figures as JSON on standard output")
    given = parser.parse_args(arguments)
    try:
        features = hog_features() if given.hog else bundle_features(Bundle.load(given.bundle))
        figures = evaluate(features, given.data)
    except InkseekError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    if given.json:
        splits = {name: row.as_dict() for name, row in figures.items()}
        report = {"features": features.name, "embedding_dim": features.embedding_dim, "splits": splits}
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
    else:
        sys.stdout.write(f"{features.name}, {features.embedding_dim} numbers\n{_table(figures)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
