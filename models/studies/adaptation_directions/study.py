"""The study: all ways over the same episodes, the bound that all pairs give, and what the gate knew beforehand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from models.adapters import Adaptation, GainPrior
from models.arrays import Rows
from models.bundle import Bundle, Runtime
from models.bundle.manifest import ADAPTATION_NAME
from models.data.datasets import PairDataset, open_dataset
from models.data.kinds.word_vectors import name_vectors
from models.evaluation.few_shot.protocol import Material, Trial, Unit, run
from models.evaluation.few_shot.results import Result
from models.ranking import ranks_of
from models.studies.adaptation_directions.fits.conditioning import Known
from models.studies.adaptation_directions.further_ways import conditioned_families, deeper_families
from models.studies.adaptation_directions.gate_episodes import confusion, gate_episodes
from models.studies.adaptation_directions.report import Study, write
from models.studies.adaptation_directions.selection import cross_fitted
from models.studies.adaptation_directions.served import closed_form, gain_prior
from models.studies.adaptation_directions.views import Columns, viewed
from models.studies.adaptation_directions.ways import Way, families, usual_cell_gains
from models.training.recipes.adaptive.spaces import cached_part

BASELINE = "mean-centred"


@dataclass(frozen=True)
class StudyRun:
    """What is measured on what. `bundle`: a name or a directory, None for the default; `draws`: of each category.

    `trained_on`: the split that the encoders know, from whose categories weights are learned as well.
    """

    data: Path
    split: str
    out: Path
    bundle: Path | None = None
    ks: tuple[int, ...] = (1, 5, 10)
    draws: int = 50
    trained_on: str = "train"
    seed: int = 0


def study(run_: StudyRun, log: Callable[[str], object]) -> Study:
    """Encode once, measure on one thread, write study.json, .md and adaptation.npz. Raises InkseekError, OSError."""
    torch.set_num_threads(1)
    bundle = Bundle.load(run_.bundle, Runtime(device="cpu", threads=1))
    dataset = open_dataset(run_.data)
    part, columns = viewed(bundle, dataset.split(run_.split), run_.split, run_.out / "embeddings", log)
    material = part.material(Unit.CATEGORY)
    usual = usual_cell_gains(material, columns)
    bare = closed_form(usual)
    compared = families(columns, bundle.adaptation, usual)
    log("deeper ways, and weights learned from other categories")
    compared |= deeper_families(columns, bare)
    trained = known_categories(bundle, dataset, run_.trained_on, run_.out / "embeddings")
    compared |= conditioned_families(material, columns, bare, trained)
    members = [way for family in compared.values() for way in family]
    log(f"{len(members)} ways over {run_.draws} draws of {len(material.tasks)} categories")
    trial = run(material, members, run_.ks, draws=run_.draws, seed=run_.seed)
    fitted, chosen = cross_fitted(trial, compared)
    log("bounds: each photo by all pairs of the others")
    bound, bound_chosen = cross_fitted(left_out_in_turn(material, members), compared)
    log("the gate over episodes")
    adaptation, gates = _gated(material, columns, run_)
    adaptation.save(run_.out / ADAPTATION_NAME)
    done = Study(
        bundle.bundle_id,
        Result(fitted, tuple(compared), run_.ks, BASELINE, run_.draws, run_.seed),
        Result(bound, tuple(compared), (MOST_PAIRS,), BASELINE, 1, run_.seed),
        chosen | {f"{name}, bound": members for name, members in bound_chosen.items()},
        gates,
    )
    write(run_.out, done)
    return done


def known_categories(bundle: Bundle, dataset: PairDataset, split: str, cache: Path) -> list[tuple[str, Known]]:
    """The categories of a split by name, in the layout's space; none where the set has no such split."""
    if split not in dataset.splits:
        return []
    part = cached_part(bundle, dataset.split(split), split, cache)
    names = sorted({key.category for key in part.drawn})
    found = []
    for name, word in zip(names, name_vectors(names)[0], strict=True):
        own = part.of_categories({name})
        rows = {key: row for row, key in enumerate(own.keys)}
        targets = np.array([rows[key] for key in own.drawn], np.int64)
        found.append((name, Known(own.sketches, targets, own.photos, word)))
    return found


def _gated(material: Material, columns: Columns, run_: StudyRun) -> tuple[Adaptation, dict[str, dict[str, float]]]:
    """The adaptation with its gain prior from all categories; confusions by priors from the other half of them."""
    bare = closed_form(usual_cell_gains(material, columns))
    measured = gate_episodes(material, columns.layout_of, bare, run_.ks, draws=run_.draws, seed=run_.seed)
    halves = [_with_gain(bare, gain_prior([each for each in measured if each.task % 2 != half])) for half in range(2)]

    def decided(ks: Sequence[int], live_k: int | None = None) -> dict[str, float]:
        return confusion(
            gate_episodes(material, columns.layout_of, halves, ks, draws=run_.draws, seed=run_.seed, live_k=live_k)
        )

    few, many = run_.ks[0], run_.ks[-1]
    gates = {f"k = {k}": decided((k,)) for k in run_.ks}
    gates[f"k = {many} after k = {few}"] = decided((many,), few)
    gates[f"k = {few} after k = {many}"] = decided((few,), many)
    gates["two standard errors of leave-one-out, all k"] = confusion(measured)
    return _with_gain(bare, gain_prior(measured)), gates


def _with_gain(adaptation: Adaptation, gain: GainPrior) -> Adaptation:
    return replace(adaptation, settings=adaptation.settings.model_copy(update={"gain": gain}))


MOST_PAIRS = 100
"""The k that the bound is named by: all pairs of the other photos, at most so many."""


def left_out_in_turn(material: Material, ways: Sequence[Way]) -> Trial:
    """Every drawn photo is queried by all its sketches, after a fit to every pair of the task's other photos."""
    ranks: dict[str, list[Rows]] = {way.name: [] for way in ways}
    queries: list[Rows] = []
    for number, task in enumerate(material.tasks):
        photos = material.photos[task.gallery]
        for target in np.unique(task.targets):
            queried = task.targets == target
            support, rows = np.flatnonzero(~queried)[:MOST_PAIRS], task.sketches[queried]
            columns = [np.full(len(rows), value) for value in (task.gallery[target], number, 0)]
            queries.append(np.stack(columns, axis=1))
            for way in ways:
                adapter = way.fit(material.sketches[task.sketches[support]], task.targets[support], photos)
                scores = adapter.embed_sketches(material.sketches[rows]) @ adapter.embed_photos(photos).T
                ranks[way.name].append(ranks_of(scores, task.targets[queried]))
    asked = np.concatenate(queries)
    return Trial(
        material=f"{material.name}, all pairs of the other photos",
        unit=material.unit,
        task_names=tuple(task.name for task in material.tasks),
        photos=asked[:, 0],
        tasks=asked[:, 1],
        draws=asked[:, 2],
        ranks={
            (name, MOST_PAIRS): np.repeat(np.concatenate(found)[:, None], 2, axis=1) for name, found in ranks.items()
        },
    )
