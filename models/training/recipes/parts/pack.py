"""Pack an experiment's images and its published start, to train where the data sets are not.

A pack serves further experiments that learn from a part of the same images, such as the run that a recipe is chosen by,
which leaves validation splits out, beside the last run, which takes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.console import log
from models.data.images.packed import Packing, write_pack
from models.networks.part_students import PartStudentConfig
from models.training.engine.state import load_tensors, save_tensors
from models.training.pairs.run import PairRun
from models.training.recipes.parts.config import PartsConfig
from models.training.recipes.parts.material import Material
from models.training.recipes.parts.packed_rows import PackedRows
from models.training.recipes.parts.published import fetch_published
from models.training.weights.pretrained import EFFICIENTNET_LITE1_IMAGENET, fetch

START_NAME = "start.pt"


@dataclass(frozen=True)
class PackJob:
    """`run`: its `out` gets the pack. `max_bytes`: of all files together.

    `also_for`: further experiments that will train on it, or on a part of it. `weights`: a folder that gets the
    published weights that any of them needs beside what the pack brings; None: they are fetched where they train.
    """

    run: PairRun[PartsConfig]
    max_bytes: int
    also_for: tuple[PartsConfig, ...] = ()
    weights: Path | None = None


def write_training_pack(job: PackJob) -> Packing:
    """Decode, then write the pack and, in half precision, what the students start from.

    Raises ConfigInvalid, DatasetError, PretrainedError, PackTooLarge, OSError.
    """
    run, config = job.run, job.run.config
    run.out.mkdir(parents=True, exist_ok=True)
    if job.weights is not None:
        for each in (config, *job.also_for):
            fetch_published(each, job.weights, started=_begins(each.student))
    start = run.out / START_NAME
    if config.published_student is not None:
        values = load_tensors(config.published_student)
    elif config.pretrained:
        values = dict(fetch(EFFICIENTNET_LITE1_IMAGENET, run.pretrained))
    else:
        values = {}
    if values:
        # The classifier is not part of a trunk.
        kept = {name: value for name, value in values.items() if not name.startswith("_fc.")}
        save_tensors(start, {n: v.half() if v.is_floating_point() else v for n, v in kept.items()})
    taken = start.stat().st_size if start.is_file() else 0
    rows = PackedRows.of(run)
    parts = {each.selection: each for each in job.also_for if each.selection != config.selection}
    for each in parts.values():
        rows.require(each)
    material = Material.open(run, log)
    return write_pack(
        run.out,
        material.images,
        material.table,
        material.focuses,
        job.max_bytes - taken,
        config.selection,
        {name: rows.view(each, material) for name, each in parts.items()},
    )


def packed_start(data: Path, student: PartStudentConfig) -> Path | None:
    """What students of this form start from that learn from this pack; None where it brings nothing for them."""
    path = data / START_NAME
    return path if path.is_file() and _begins(student) else None


def _begins(student: PartStudentConfig) -> bool:
    """Whether students of this form have the trunk whose start a pack brings: EfficientNet-Lite1."""
    usual = PartStudentConfig()
    return (student.trunk, student.width, student.depth) == (usual.trunk, usual.width, usual.depth)
