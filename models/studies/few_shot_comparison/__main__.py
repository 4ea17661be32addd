"""The table of competitors and the ablations: JSON, Markdown and an HTML page.

python -m models.studies.few_shot_comparison --config models/configs/adaptation_comparison.toml --data DIR \
    --bundle BUNDLE --fold FOLD_0.pt --fold FOLD_1.pt --out DIR
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import torch

from models.adapters.state import Adaptation
from models.bundle import Bundle, Runtime
from models.errors import InkseekError
from models.evaluation.few_shot.closed_form import GRIDS
from models.evaluation.few_shot.methods import Method
from models.evaluation.few_shot.protocol import Unit
from models.studies.few_shot_comparison.experiment import (
    Learning,
    ablations,
    closed_forms,
    predicted_margins,
    table,
    tested,
)
from models.studies.few_shot_comparison.results import Told, write
from models.studies.few_shot_comparison.spaces import Spaces
from models.studies.few_shot_comparison.variant import ComparisonConfig


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 2: the bundle, the data or the configuration cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m models.studies.few_shot_comparison", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("models/configs/adaptation_comparison.toml"))
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds the data sets")
    parser.add_argument("--bundle", type=Path, help="a bundle; without it the shipped one")
    parser.add_argument("--adaptation", type=Path, help="an .npz file in place of the bundle's own adaptation")
    parser.add_argument(
        "--fold", type=Path, action="append", default=[], help="a students.pt, as for meta-training; repeat it"
    )
    parser.add_argument("--out", type=Path, required=True, help="results; what was encoded and learned is kept there")
    parser.add_argument(
        "--embeddings", type=Path, help="where embeddings are kept; that of `inkseek train adapt` is RUN/embeddings"
    )
    given = parser.parse_args(arguments)
    try:
        compare(given)
    except InkseekError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


def compare(given: argparse.Namespace) -> None:
    """Everything, on one thread. Without folds, the bundle's tests alone."""
    torch.set_num_threads(1)
    config = ComparisonConfig.load(given.config)
    bundle = Bundle.load(given.bundle, Runtime(threads=1))
    ours = Adaptation.load(given.adaptation) if given.adaptation else bundle.adaptation
    spaces = Spaces(given.data, given.embeddings or given.out / "embeddings", say)
    learning = Learning(config, given.out / "learned", say)
    folds = spaces.folds(config, config.adapt_config(config.variants[0]), bundle, given.fold) if given.fold else []
    closed: tuple[Method, ...] = tuple(grid[len(grid) // 2] for grid in GRIDS.values())
    if folds:
        closed = closed_forms(folds[0].meta.material(Unit.CATEGORY), config.seed, say)
    found = Told(
        facts=(
            ("Bundle", bundle.bundle_id),
            ("Adaptation", ours.adaptation_id if ours else "none"),
            ("Folds", f"{len(folds)}"),
        ),
        table=table(folds, learning, ours) if folds else None,
        ablations=ablations(folds[:1], learning) if folds and config.ablations else None,
        tests=tuple(tested(spaces.test(each, bundle), each.unit, config, ours, closed) for each in config.tests),
        margins=predicted_margins(folds, learning),
    )
    write(given.out, config, found)


def say(line: str) -> None:
    """Progress, on standard error."""
    sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    raise SystemExit(main())
