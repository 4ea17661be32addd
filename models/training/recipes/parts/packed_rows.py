"""Where the images of one experiment lie among those of a larger one, with which they are packed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.arrays import Rows
from models.data.images.kind_sets import KindSet, KindTable, open_kind_sets
from models.data.images.packed import PackView
from models.data.images.training_images import pools_of
from models.data.kinds.kind_book import KindBook
from models.data.sampling.category_batches import CategoryPool
from models.training.engine.config import ConfigInvalid
from models.training.pairs.run import PairRun
from models.training.recipes.parts.config import PartsConfig
from models.training.recipes.parts.material import Material


@dataclass(frozen=True)
class PackedRows:
    """The rows of the images of `run`, which is packed whole, by name."""

    run: PairRun[PartsConfig]
    photos: dict[str, int]
    sketches: dict[str, int]

    @classmethod
    def of(cls, run: PairRun[PartsConfig]) -> PackedRows:
        """Open the data sets, decode nothing. Raises DatasetError."""
        photos, sketches = _names(_opened(run, run.config))
        return cls(run, *({name: row for row, name in enumerate(names)} for names in (photos, sketches)))

    def require(self, part: PartsConfig) -> None:
        """Raise ConfigInvalid where an experiment learns from anything that is not packed. Raises DatasetError."""
        whole = self.run.config
        for name in ("cache_px", "min_extent", "trim"):
            if getattr(part, name) != getattr(whole, name):
                raise ConfigInvalid(f"experiments of one pack see alike images: {name} differs between them")
        lacking = [
            name
            for names, rows in zip(_names(_opened(self.run, part)), self._by_name, strict=True)
            for name in names
            if name not in rows
        ]
        if lacking:
            raise ConfigInvalid(
                f"{len(lacking):,} images of an experiment are not in the pack of the first, such as {lacking[0]}: "
                "pack the one that learns from most, and name the others beside it"
            )

    def view(self, part: PartsConfig, material: Material) -> PackView:
        """What an experiment that `require` admits learns from. `material`: of the whole. Raises DatasetError."""
        sets = _opened(self.run, part)
        photos, sketches = (
            np.array([rows[name] for name in names], np.int64)
            for names, rows in zip(_names(sets), self._by_name, strict=True)
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
    def _by_name(self) -> tuple[dict[str, int], dict[str, int]]:
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
