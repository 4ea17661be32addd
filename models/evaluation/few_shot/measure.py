"""What a bundle's own adaptation makes of k examples, on each split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from models.bundle import Bundle
from models.data.datasets import PairDataset
from models.evaluation.embeddings import Progress
from models.evaluation.few_shot.bundle_methods import bundle_methods
from models.evaluation.few_shot.material import EmbeddedPart, embedded_part
from models.evaluation.few_shot.methods import NoAdaptation
from models.evaluation.few_shot.protocol import Unit, run
from models.evaluation.few_shot.results import Result, document


def embedded_split(bundle: Bundle, name: str, part: PairDataset, progress: Progress | None = None) -> EmbeddedPart:
    """A split of `chosen_splits` in the bundle's space. Raises EmbeddingsNotFinite."""
    return embedded_part(bundle, part, f"{part.name} {name}".strip(), progress)


def measure_adaptation(
    bundle: Bundle,
    part: EmbeddedPart,
    ks: Sequence[int],
    *,
    unit: Unit,
    draws: int,
    seed: int,
    progress: Callable[[], object] | None = None,
) -> Result:
    """Run the bundle's methods over the episodes of a split; `progress` is called after each draw of a task.

    Raises NoTasks, NothingToEvaluate.
    """
    methods = bundle_methods(bundle, unit)
    trial = run(part.material(unit), methods, ks, draws=draws, seed=seed, progress=progress)
    return Result(trial, tuple(method.name for method in methods), tuple(ks), NoAdaptation().name, draws, seed)


def adaptation_document(bundle: Bundle, dataset: PairDataset, results: Sequence[Result]) -> dict[str, Any]:
    """The results as one JSON document; its keys are in docs/reference/evaluation.md."""
    return {
        "bundle_id": bundle.bundle_id,
        "adaptation_id": bundle.adaptation.adaptation_id if bundle.adaptation else None,
        "data": dataset.name,
        "format": dataset.format,
        "splits": document(results),
    }
