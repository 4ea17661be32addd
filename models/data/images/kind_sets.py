"""Data sets that say what a picture shows: pairs, and sketches and photos that belong to no pair, with their kinds."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.arrays import Rows
from models.bundle import rasterise_strokes
from models.data.datasets import (
    LabelledSketch,
    PairDataset,
    Photo,
    PhotoKey,
    SketchSource,
    Strokes,
    open_dataset,
    require_below,
)
from models.data.images.decoded_sets import Unusable, sketch_rows
from models.data.images.training_sets import SetConfig, TrainingSet
from models.data.kinds.kind_book import KindBook, compatible_kinds
from models.data.sampling.kind_batches import KindRows

Kinds = tuple[str, ...]


class KindSetConfig(SetConfig):
    """A set with kinds. `kinds`: what says them, the category, a photo's attribute `name`, or a doodle's category.

    `need_kind`: leave out what has none; else it is trained on as pairs alone. `labelled`: use the sketches that show
    no photo. `numbers`: of a category's labelled sketches only those from the first number on and before the second,
    counted from 0; `held`: of kinds that are measured, these are left out. `optional`: a set that the recipe does
    without where its folder is not there.
    """

    kinds: Literal["category", "name", "doodle"] = "category"
    need_kind: bool = False
    labelled: bool = False
    numbers: tuple[int, int] | None = None
    held: tuple[int, int] | None = None
    optional: bool = False


@dataclass(frozen=True)
class KindSet:
    """What a data set contributes. `photo_kinds`: of its photos; `sketch_kinds`: of sketches, then labelled ones."""

    training: TrainingSet
    photo_kinds: tuple[Kinds, ...]
    sketch_kinds: tuple[Kinds, ...]

    @classmethod
    def open(cls, data: Path, config: KindSetConfig, book: KindBook, also: Collection[str] = ()) -> KindSet:
        """Open the folder below `data`, choose, and look the kinds up. Raises DatasetError.

        `also`: further splits that are trained on like the set's own.
        """
        dataset = open_dataset(data / config.folder)
        if config.split and also:
            dataset = _joined(dataset, config.split, also)
        training = TrainingSet.of(config, dataset)
        kinds = {photo.key: _kinds_of(photo, config, book) for photo in training.photos}
        photos = tuple(photo for photo in training.photos if kinds[photo.key] or not config.need_kind)
        kept = {photo.key for photo in photos}
        sketches = tuple(record for record in training.sketches if record.photo in kept)
        labelled = _labelled(dataset, config, book) if config.labelled else []
        training = dataclasses.replace(
            training, photos=photos, sketches=sketches, labelled=tuple(item for item, _ in labelled)
        )
        return cls(
            training,
            tuple(kinds[photo.key] for photo in photos),
            (*(kinds[record.photo] for record in sketches), *(of for _, of in labelled)),
        )


@dataclass(frozen=True)
class KindTable:
    """Kinds of the rows of the training images.

    `kinds` (K,): names. `photos` (N,), `sketches` (M,): numbers of each row's kinds, the likeliest first, synthetic
    drawings those of their photo. `photo_sets`, `sketch_sets`: the pool of each row, empty for a synthetic drawing.
    """

    kinds: Kinds
    photos: tuple[tuple[int, ...], ...]
    sketches: tuple[tuple[int, ...], ...]
    photo_sets: tuple[str, ...]
    sketch_sets: tuple[str, ...]
    doodles: frozenset[str]

    @classmethod
    def of(cls, sets: Sequence[KindSet]) -> KindTable:
        """In the order of `prepare_sets`: sets one after the other, each set's synthetic drawings last."""
        names = sorted({kind for each in sets for kinds in (*each.photo_kinds, *each.sketch_kinds) for kind in kinds})
        number = {kind: place for place, kind in enumerate(names)}
        photos: list[tuple[str, Kinds]] = []
        sketches: list[tuple[str, Kinds]] = []
        for each in sets:
            pool, styles = each.training.config.pool, each.training.styles
            photos += [(pool, kinds) for kinds in each.photo_kinds]
            sketches += [(pool, kinds) for kinds in each.sketch_kinds]
            sketches += [("", kinds) for kinds in each.photo_kinds for _ in range(styles)]
        assert len(sketches) == sum(sketch_rows(each.training) for each in sets)
        return cls(
            tuple(names),
            tuple(tuple(number[kind] for kind in kinds) for _, kinds in photos),
            tuple(tuple(number[kind] for kind in kinds) for _, kinds in sketches),
            tuple(name for name, _ in photos),
            tuple(name for name, _ in sketches),
            frozenset(each.training.config.pool for each in sets if _of_doodles(each)),
        )

    def without(self, unusable: Sequence[Unusable]) -> KindTable:
        """The table in which these images teach no kind; the numbers of rows stay."""
        bad = {(item.kind, item.row) for item in unusable}
        photos = tuple(() if ("photo", row) in bad else kinds for row, kinds in enumerate(self.photos))
        sketches = tuple(() if ("sketch", row) in bad else kinds for row, kinds in enumerate(self.sketches))
        return dataclasses.replace(self, photos=photos, sketches=sketches)

    def placed_in(self, whole: KindTable, photos: Rows, sketches: Rows) -> KindTable:
        """The kinds of this table at rows `photos` (n,) and `sketches` (m,) of a larger one, whose others have none."""
        return dataclasses.replace(
            self,
            photos=_placed(self.photos, photos, len(whole.photos)),
            sketches=_placed(self.sketches, sketches, len(whole.sketches)),
            photo_sets=whole.photo_sets,
            sketch_sets=whole.sketch_sets,
        )

    @property
    def rows(self) -> KindRows:
        """The rows that teach kinds, by kind: synthetic drawings are not among them."""
        drawn = [(name, kinds if name else ()) for name, kinds in zip(self.sketch_sets, self.sketches, strict=True)]
        return KindRows.of(drawn, list(zip(self.photo_sets, self.photos, strict=True)), self.doodles)

    @cached_property
    def photo_kind(self) -> Rows:
        """(N,) the likeliest kind of each photo, -1 where it is unknown."""
        return _likeliest(self.photos)

    @property
    def compatible(self) -> NDArray[np.bool_]:
        """(K, K) bool; see `compatible_kinds`."""
        together = {tuple(self.kinds[kind] for kind in kinds) for kinds in (*self.photos, *self.sketches)}
        return compatible_kinds(self.kinds, together)


@dataclass(frozen=True)
class FramedDoodle:
    """A doodle drawn as the product draws strokes, filling the canvas, wherever on its own canvas it was."""

    source: SketchSource

    @property
    def name(self) -> str:
        """The sketch's own name."""
        return self.source.name

    def image(self) -> Image.Image:
        """The strokes rasterised; without strokes the sketch's own image. Raises ImageError, OSError."""
        strokes = self.source.strokes()
        return self.source.image() if strokes is None else rasterise_strokes(strokes)

    def strokes(self) -> Strokes | None:
        """The sketch's own."""
        return self.source.strokes()

    def content(self) -> bytes:
        """The sketch's own."""
        return self.source.content()


def open_kind_sets(
    data: Path,
    sets: Sequence[KindSetConfig],
    book: KindBook,
    log: Callable[[str], None],
    also: Collection[str] = (),
) -> tuple[KindSet, ...]:
    """Open each set; `log` gets the number of kinds, and a line for each optional set that is not there.

    `also`: see `KindSet.open`. Raises DatasetError.
    """
    there = []
    for config in sets:
        if config.optional and not (data / config.folder).exists():
            log(f"{config.folder} is not below {data}: it is optional, and training does without it")
        else:
            there.append(config)
    require_below(data, [config.folder for config in there])
    opened = tuple(KindSet.open(data, config, book, also) for config in there)
    known = {kind for each in opened for kinds in (*each.photo_kinds, *each.sketch_kinds) for kind in kinds}
    log(f"{len(known):,} kinds by name in {len(opened)} sets")
    return opened


def _kinds_of(photo: Photo, config: KindSetConfig, book: KindBook) -> Kinds:
    if config.kinds == "name":
        return book.of_name(photo.attributes.get("name", ""), photo.attributes.get("quickdraw_category", ""))
    return book.of_category(photo.key.category)


def _labelled(dataset: PairDataset, config: KindSetConfig, book: KindBook) -> list[tuple[LabelledSketch, Kinds]]:
    """The labelled sketches that may be learned from, with their kinds."""
    kept = []
    seen: dict[str, int] = {}
    for item in dataset.labelled:
        number = seen[item.category] = seen.get(item.category, -1) + 1
        doodle = config.kinds == "doodle"
        kinds = book.of_doodle(item.category) if doodle else book.of_category(item.category)
        held = any(book.is_measured(kind) for kind in kinds) and _within(number, config.held, otherwise=False)
        if kinds and not held and _within(number, config.numbers, otherwise=True):
            kept.append((dataclasses.replace(item, sketch=FramedDoodle(item.sketch)) if doodle else item, kinds))
    return kept


def _within(number: int, span: tuple[int, int] | None, *, otherwise: bool) -> bool:
    return otherwise if span is None else span[0] <= number < span[1]


def _of_doodles(each: KindSet) -> bool:
    config = each.training.config
    return isinstance(config, KindSetConfig) and config.kinds == "doodle"


def _joined(dataset: PairDataset, split: str, also: Collection[str]) -> PairDataset:
    """The data set with further splits counted as `split`."""
    photos: dict[PhotoKey, Photo] = {
        key: dataclasses.replace(photo, split=split) if photo.split in also else photo
        for key, photo in dataset.photos.items()
    }
    records = tuple(
        dataclasses.replace(record, split=split) if record.split in also else record for record in dataset.records
    )
    return dataclasses.replace(dataset, photos=MappingProxyType(photos), records=records)


def _placed(kinds: Sequence[tuple[int, ...]], rows: Rows, count: int) -> tuple[tuple[int, ...], ...]:
    placed: list[tuple[int, ...]] = [()] * count
    for row, known in zip(rows, kinds, strict=True):
        placed[row] = known
    return tuple(placed)


def _likeliest(kinds: Sequence[tuple[int, ...]]) -> Rows:
    return np.array([row[0] if row else -1 for row in kinds], dtype=np.int64)
