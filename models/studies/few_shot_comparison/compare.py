"""The table of competitors and the ablations as one run: comparison.json, comparison.md and comparison.html."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from models.adapters.state import Adaptation
from models.bundle import Bundle, Runtime
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
from models.studies.few_shot_comparison.results import ComparisonResults, write
from models.studies.few_shot_comparison.spaces import Spaces
from models.studies.few_shot_comparison.variant import ComparisonConfig


@dataclass(frozen=True)
class ComparisonRun:
    """What is compared with what.

    `bundle`: a name or a directory, None for the default. `adaptation`: an .npz file in place of the bundle's own.
    `folds`: a `students.pt` each, as for meta-training; without them the bundle's tests alone are run. `halves`: learn
    from one half of the test split's categories and test on the other, in the bundle's own space, in place of folds.
    `embeddings`: where embeddings are cached, by default below `out`.
    """

    config: ComparisonConfig
    data: Path
    out: Path
    bundle: Path | None = None
    adaptation: Path | None = None
    folds: Sequence[Path] = field(default=())
    embeddings: Path | None = None
    halves: bool = False


def compare(run: ComparisonRun, log: Callable[[str], object]) -> None:
    """Encode, learn and measure on one thread, then write the results; what is cached in `run.out` is used again.

    `log` is called with a line per step. Raises BundleError, DatasetError, CheckpointInvalid, AdaptationCorrupt.
    """
    torch.set_num_threads(1)
    config = run.config
    bundle = Bundle.load(run.bundle, Runtime(threads=1))
    own = Adaptation.load(run.adaptation) if run.adaptation else bundle.adaptation
    spaces = Spaces(run.data, run.embeddings or run.out / "embeddings", log)
    learning = Learning(config, run.out / "learned", log)
    base = config.adapt_config(config.variants[0])
    folds = spaces.folds(config, base, bundle, run.folds) if run.folds else []
    if run.halves:
        folds = spaces.halves(config, base.folder, bundle)
    # Without folds there are no training tasks to choose a number by; the middle of each grid stands in.
    closed: tuple[Method, ...] = tuple(grid[len(grid) // 2] for grid in GRIDS.values())
    if folds:
        closed = closed_forms(folds[0].meta.material(Unit.CATEGORY), config.seed, log)
    results = ComparisonResults(
        facts=(
            ("Bundle", bundle.bundle_id),
            ("Adaptation", own.adaptation_id if own else "none"),
            ("Folds", f"{len(folds)}"),
        ),
        table=table(folds, learning, own) if folds else None,
        ablations=ablations(folds if run.halves else folds[:1], learning) if folds and config.ablations else None,
        tests=tuple(tested(spaces.test(each, bundle), each.unit, config, own, closed) for each in config.tests),
        margins=predicted_margins(folds, learning),
    )
    write(run.out, config, results)
