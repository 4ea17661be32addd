"""Pack an experiment's images and its published start, to train where the data sets are not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.console import log
from models.data.images.kind_sets import open_kind_sets
from models.data.images.packed import Packing, write_pack
from models.data.kinds.kind_book import KindBook
from models.training.engine.state import load_tensors, save_tensors
from models.training.pairs.run import PairRun
from models.training.recipes.parts.config import PartsConfig
from models.training.recipes.parts.material import Material
from models.training.weights.pretrained import EFFICIENTNET_LITE1_IMAGENET, fetch

START_NAME = "start.pt"


@dataclass(frozen=True)
class PackJob:
    """`run`: its `out` gets the pack. `max_bytes`: of all files together."""

    run: PairRun[PartsConfig]
    max_bytes: int


def write_training_pack(job: PackJob) -> Packing:
    """Decode, then write the pack and, in half precision, what the students start from.

    Raises DatasetError, PretrainedError, PackTooLarge, OSError.
    """
    run, config = job.run, job.run.config
    run.out.mkdir(parents=True, exist_ok=True)
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
    material = Material.open(run, log)
    book = KindBook.load(run.resources.data, config.kinds)
    sets = open_kind_sets(run.resources.data, config.sets, book, lambda line: None, config.also)
    focuses = [each.training.config.focus for each in sets for _ in each.training.photos]
    return write_pack(run.out, material.images, material.table, focuses, job.max_bytes - taken)


def packed_start(data: Path) -> Path | None:
    """What students start from that learn from this pack; None where it brings none."""
    path = data / START_NAME
    return path if path.is_file() else None
