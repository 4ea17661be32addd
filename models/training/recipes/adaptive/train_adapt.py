"""`inkseek train adapt`: from a data set, a bundle and its folds to an adaptation.npz that the bundle can carry.

Beside what every run leaves (see `models.training.engine.run_directory`), the directory holds adaptation.npz,
figures.json, and embeddings/, so that a second run need not encode anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from models.adapters import Adaptation
from models.atomic_files import write_json
from models.bundle import Bundle, Runtime
from models.bundle.manifest import ADAPTATION_NAME
from models.console import log
from models.data.datasets import open_dataset
from models.evaluation.few_shot.bundle_methods import ADAPTED, GATED, adaptation_methods
from models.evaluation.few_shot.material import EmbeddedPart
from models.evaluation.few_shot.protocol import Material, Unit, run
from models.training.engine.run_directory import RunDirectory
from models.training.recipes.adaptive.config import AdaptConfig
from models.training.recipes.adaptive.meta_train import MetaTasks, meta_train
from models.training.recipes.adaptive.spaces import cached_part, training_spaces
from models.training.recipes.adaptive.style import choose_style


@dataclass(frozen=True)
class AdaptRun:
    """`data`: folder of the data sets. `folds`: see `training_spaces`. `out`: the run's directory."""

    config: AdaptConfig
    data: Path
    bundle: Path | None
    folds: tuple[Path, ...]
    out: Path


def train_adapt(run: AdaptRun) -> Adaptation:
    """Train, or resume, on one thread; writes adaptation.npz. Raises InkseekError."""
    torch.set_num_threads(1)
    config, bundle = run.config, Bundle.load(run.bundle, Runtime(device="cpu", threads=1))
    directory = RunDirectory.open(run.out, config.described(bundle_id=bundle.bundle_id), config.normalised)
    dataset = open_dataset(run.data / config.folder)
    cache = run.out / "embeddings"
    parts = training_spaces(dataset, config.split, bundle, run.folds, cache)
    if not run.folds:
        log("no folds: episodes of categories that the encoders may have been trained on leave little to learn")
    # Without a matrix in the axes of the embedding, what is learned serves any bundle, and each category may be
    # computed in the span of its own rows.
    invariant = not (config.head_dim or config.features.residual_rank)
    tasks = MetaTasks.of(parts, config.validation, reduced=invariant)
    model = meta_train(config, tasks, directory, log)
    adaptation = model.adaptation(config.name, bundle.manifest.adapted_dim, "" if invariant else bundle.bundle_id)
    figures: dict[str, Any] = {"validation": _figures(adaptation, parts, config)}
    if config.style is not None:
        people = open_dataset(run.data / config.style.folder).split(config.style.split)
        style = choose_style(cached_part(bundle, people, config.style.split, cache))
        # What sketches usually are is a vector of this bundle's space, so the adaptation fits no other bundle.
        adaptation = replace(style.into(adaptation), bundle_id=bundle.bundle_id)
        table = {f"strength {s}, photos {t}": round(mrr, 4) for (s, t), mrr in style.mrr.items()}
        figures["style"] = {"mrr": table, "chosen": style.best}
    adaptation.save(run.out / ADAPTATION_NAME)
    settings = adaptation.settings.model_dump()
    write_json(run.out / "figures.json", {"id": adaptation.adaptation_id, "settings": settings, **figures})
    log(f"{adaptation.adaptation_id} written to {run.out / ADAPTATION_NAME}")
    return adaptation


def _figures(adaptation: Adaptation, parts: Sequence[EmbeddedPart], config: AdaptConfig) -> dict[str, Any]:
    """acc@1 and the mean of 1 / rank, in per cent, on the categories that were left out of meta-training."""
    ranks: dict[tuple[str, int], list[float]] = {}
    number = 0
    for part in parts:
        material = part.material(Unit.CATEGORY)
        # Counted on across parts as `MetaTasks.of` counts, so that these are the categories that it left out.
        kept = [task for n, task in enumerate(material.tasks, number) if n % config.validation == 0]
        number += len(material.tasks)
        chosen = Material(part.name, Unit.CATEGORY, part.sketches, part.photos, tuple(kept))
        methods = adaptation_methods(adaptation, Unit.CATEGORY)
        trial = run(chosen, methods, config.ks, draws=config.draws)
        for key, of_key in trial.ranks.items():
            ranks.setdefault(key, []).extend(of_key[:, 0].tolist())
    table = {
        f"{method}, k = {k}": {
            "acc@1": round(100 * sum(rank == 1 for rank in of_method) / len(of_method), 1),
            "mrr": round(100 * sum(1 / rank for rank in of_method) / len(of_method), 1),
        }
        for (method, k), of_method in sorted(ranks.items())
        if method in (ADAPTED, GATED) or k == config.ks[0]
    }
    for row, cells in table.items():
        log(f"{row}: acc@1 {cells['acc@1']}, mrr {cells['mrr']}")
    return table
