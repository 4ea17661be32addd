"""Pack an experiment's images and its published start, to train where the data sets are not.

A pack serves further experiments that learn from a part of the same images, such as the run that a recipe is chosen by,
which leaves validation splits out, beside the last run, which takes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models.arrays import Rows
from models.console import log
from models.data.images.kind_sets import KindSet, KindTable, open_kind_sets
from models.data.images.packed import Packing, PackView, write_pack
from models.data.images.training_images import pools_of
from models.data.kinds.kind_book import KindBook
from models.data.sampling.category_batches import CategoryPool
from models.networks.part_students import PartStudentConfig
from models.training.engine.config import ConfigInvalid
from models.training.engine.state import load_tensors, save_tensors
from models.training.pairs.run import PairRun
from models.training.recipes.parts.config import PartsConfig
from models.training.recipes.parts.material import Material
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
    views = _Rows.of(run)
    parts = {each.selection: each for each in job.also_for if each.selection != config.selection}
    for each in parts.values():
        views.require(each)
    material = Material.open(run, log)
    return write_pack(
        run.out,
        material.images,
        material.table,
        material.focuses,
        job.max_bytes - taken,
        config.selection,
        {name: views.view(each, material) for name, each in parts.items()},
    )


@dataclass(frozen=True)
class _Rows:
    """The rows of a pack's images by name."""

    run: PairRun[PartsConfig]
    photos: dict[str, int]
    sketches: dict[str, int]

    @classmethod
    def of(cls, run: PairRun[PartsConfig]) -> _Rows:
        photos, sketches = _names(_opened(run, run.config))
        return cls(run, *({name: row for row, name in enumerate(names)} for names in (photos, sketches)))

    def require(self, part: PartsConfig) -> None:
        """Raise ConfigInvalid where an experiment learns from anything that this one does not."""
        whole = self.run.config
        for name in ("cache_px", "min_extent", "trim"):
            if getattr(part, name) != getattr(whole, name):
                raise ConfigInvalid(f"experiments of one pack see alike images: {name} differs between them")
        lacking = [
            name
            for names, rows in zip(_names(_opened(self.run, part)), self._all, strict=True)
            for name in names
            if name not in rows
        ]
        if lacking:
            raise ConfigInvalid(
                f"{len(lacking):,} images of an experiment are not in the pack of the first, such as {lacking[0]}: "
                "pack the one that learns from most, and name the others beside it"
            )

    def view(self, part: PartsConfig, material: Material) -> PackView:
        sets = _opened(self.run, part)
        photos, sketches = (
            np.array([rows[name] for name in names], np.int64)
            for names, rows in zip(_names(sets), self._all, strict=True)
        )
        own = {("photo", int(row)): place for place, row in enumerate(photos)}
        own |= {("sketch", int(row)): place for place, row in enumerate(sketches)}
        unusable = [
            replace(item, row=own[item.kind, item.row])
            for item in material.images.unusable
            if (item.kind, item.row) in own
        ]
        pools, contents = pools_of([each.training for each in sets], unusable)
        table = KindTable.of(sets).without(unusable).placed_in(material.table, photos, sketches)
        return PackView(table, tuple(_placed(pool, photos, sketches) for pool in pools), contents)

    @property
    def _all(self) -> tuple[dict[str, int], dict[str, int]]:
        return self.photos, self.sketches


def _opened(run: PairRun[PartsConfig], config: PartsConfig) -> tuple[KindSet, ...]:
    data = run.resources.data
    return open_kind_sets(data, config.sets, KindBook.load(data, config.kinds), lambda line: None, config.also)


def _names(sets: Sequence[KindSet]) -> tuple[list[str], list[str]]:
    """Of photos and of sketches, in the order of `prepare_sets`."""
    photos: list[str] = []
    sketches: list[str] = []
    for each in sets:
        chosen = each.training
        photos += chosen.photo_names
        sketches += chosen.sketch_names
        sketches += [f"{name} drawn {number}" for name in chosen.photo_names for number in range(chosen.styles)]
    return photos, sketches


def _placed(pool: CategoryPool, photos: Rows, sketches: Rows) -> CategoryPool:
    """The pool with the rows that its own rows have in the pack."""

    def moved(rows: Sequence[int], to: Rows) -> tuple[int, ...]:
        return tuple(int(to[row]) for row in rows)

    return replace(
        pool,
        photos=moved(pool.photos, photos),
        sketches=tuple(moved(rows, sketches) for rows in pool.sketches),
        synthetic=tuple(moved(rows, sketches) for rows in pool.synthetic),
    )


def packed_start(data: Path, student: PartStudentConfig) -> Path | None:
    """What students of this form start from that learn from this pack; None where it brings nothing for them."""
    path = data / START_NAME
    return path if path.is_file() and _begins(student) else None


def _begins(student: PartStudentConfig) -> bool:
    """Whether students of this form have the trunk whose start a pack brings: EfficientNet-Lite1."""
    usual = PartStudentConfig()
    return (student.trunk, student.width, student.depth) == (usual.trunk, usual.width, usual.depth)
