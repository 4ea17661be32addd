"""What a run is trained on: images with their pools and kinds, out of data sets or out of a pack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from models.bundle import SketchNormalisation
from models.data.images.kind_sets import KindTable, open_kind_sets
from models.data.images.packed import is_pack, read_pack
from models.data.images.training_images import TrainingImages, prepare_sets
from models.data.kinds.kind_book import KindBook
from models.data.sampling.category_batches import CategoryBatches
from models.data.sampling.kind_batches import KindBatches
from models.evaluation.protocol import CategoryGallery
from models.training.pairs.run import PairRun
from models.training.recipes.parts.config import PartsConfig


@dataclass(frozen=True)
class Material:
    """`images`: photos and sketches with the pools of pairs; `table`: the kinds of the same rows.

    `focuses` (N,): of each photo, see `edge_drawing`.
    """

    images: TrainingImages
    table: KindTable
    focuses: tuple[float | None, ...]

    @property
    def learned_photos(self) -> np.ndarray:
        """(n,) rows of the photos that anything is learned from, ascending: a pack may hold others as well."""
        kinds = {row for row, known in enumerate(self.table.photos) if known}
        return np.array(sorted(kinds.union(*(pool.photos for pool in self.images.pools))), np.int64)

    @classmethod
    def open(cls, run: PairRun[PartsConfig], log: Callable[[str], None]) -> Material:
        """Decode what is not decoded yet. Raises DatasetError, PackInvalid."""
        config = run.config
        if is_pack(run.resources.data):
            alone = config.edge_drawings is not None and config.edge_drawings.alone
            return cls(*read_pack(run.resources.data, run.images, log, drawn=not alone, selection=config.selection))
        book = KindBook.load(run.resources.data, config.kinds)
        sets = open_kind_sets(run.resources.data, config.sets, book, log, config.also)
        framing = SketchNormalisation(min_extent=config.min_extent)
        chosen = [each.training for each in sets]
        skip = run.resources.skip_flawed
        images = prepare_sets(chosen, config.cache_px, run.images, log, framing, trim=config.trim, skip_flawed=skip)
        focuses = tuple(each.config.focus for each in chosen for _ in each.photos)
        return cls(images, KindTable.of(sets).without(images.unusable), focuses)

    def pair_batches(self, config: PartsConfig) -> CategoryBatches:
        """Batches of pairs; pools of weight 0 teach kinds alone."""
        batch = config.batch
        pools = [pool for pool in self.images.pools if pool.weight > 0 and len(pool.photos) > 1]
        return CategoryBatches(pools, batch.pairs, batch.groups, batch.drawn_share, batch.synthetic_share, config.seed)

    def kind_batches(self, config: PartsConfig, known: frozenset[str] = frozenset()) -> KindBatches:
        """Batches of kinds. `known`: those of the students that the run starts from; none where it starts anew."""
        twice: frozenset[int] = frozenset()
        if known and config.kind_batch.new_twice:
            twice = frozenset(number for number, kind in enumerate(self.table.kinds) if kind not in known)
        return KindBatches(self.table.rows, config.kind_batch.kinds, config.kind_batch.drawings, config.seed, twice)

    def taught_rows(self, pools: tuple[str, ...], *, drawings: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """People's sketches of pairs of these pools, (n,), and the photos that they show, (m,); ascending rows.

        `drawings`: and the synthetic drawings of all pools that pairs are taken from.
        """
        drawn: set[tuple[int, int]] = set()
        for pool in self.images.pools:
            if pool.name.partition("/")[0] in pools:
                drawn |= _pairs(pool.photos, pool.sketches)
            if drawings and pool.weight > 0:
                drawn |= _pairs(pool.photos, pool.synthetic)
        sketches, photos = ({pair[place] for pair in drawn} for place in (0, 1))
        return np.array(sorted(sketches), np.int64), np.array(sorted(photos), np.int64)


def _pairs(photos: Sequence[int], sketches: Sequence[Sequence[int]]) -> set[tuple[int, int]]:
    return {(sketch, photo) for photo, rows in zip(photos, sketches, strict=True) for sketch in rows}


def galleries_of(run: PairRun[PartsConfig]) -> dict[str, tuple[CategoryGallery, ...]]:
    """The validation splits' galleries; a pack has none. Raises DatasetError."""
    return {} if is_pack(run.resources.data) else run.galleries()
