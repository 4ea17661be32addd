"""Which photos and sketches of a data set are trained on, before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, field_serializer

from models.data.builders.synthetic import DRAWING_STYLES
from models.data.datasets import LabelledSketch, PairDataset, Photo, SketchRecord, open_dataset, summarise

TERMS_NAME = "TERMS.txt"


class SetConfig(BaseModel):
    """One data set to train on.

    `folder`: below the data directory, in any layout that `inkseek data inspect` reads. `split`: of its pairs; empty
    for a set of photos without sketches. `pool`: sets with the same pool and category are mixed. `weight`: how often
    one of its categories is chosen; `weights` overrides it by category. `synthetic`: draw its photos too, in each of
    the `DRAWING_STYLES`, or `drawings` times in styles of their own where that is not 0. `focus`: see `edge_drawing`.
    `exclude`: ids of photos that are left out with their sketches, because they show what a validation split or a
    zero-shot protocol keeps unseen. `split_by_person`: the splits share their photos and differ in who drew
    them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: str
    split: str = "train"
    pool: str
    weight: float = 1.0
    weights: dict[str, float] = {}
    synthetic: bool = True
    drawings: int = 0
    focus: float | None = None
    exclude: frozenset[str] = frozenset()
    split_by_person: bool = False

    @field_serializer("exclude")
    def _in_order(self, ids: frozenset[str]) -> list[str]:
        """A set has another order in every process, and an experiment is known by its text."""
        return sorted(ids)


@dataclass(frozen=True)
class TrainingSet:
    """What one data set contributes: `photos` has every photo of `sketches`; `labelled` sketches show none of them."""

    config: SetConfig
    dataset: PairDataset
    photos: tuple[Photo, ...]
    sketches: tuple[SketchRecord, ...]
    labelled: tuple[LabelledSketch, ...] = ()

    @classmethod
    def open(cls, data: Path, config: SetConfig) -> TrainingSet:
        """Open the folder below `data` and choose. Raises DatasetError."""
        return cls.of(config, open_dataset(data / config.folder))

    @classmethod
    def of(cls, config: SetConfig, dataset: PairDataset) -> TrainingSet:
        """Choose from a data set. Raises SplitMissing."""
        # Splits by person show the same photos, so their photos cannot be divided.
        undivided = config.split_by_person or not config.split
        photos = tuple(dataset.photos.values()) if undivided else trainable_photos(dataset, config.split)
        photos = tuple(photo for photo in photos if photo.key.photo_id not in config.exclude)
        if not config.split:
            return cls(config, dataset, photos, ())
        # A sketch whose photo another split shows as well has no photo left to be trained with.
        keys = {photo.key for photo in photos}
        sketches = tuple(record for record in dataset.records_of(config.split) if record.photo in keys)
        # Without drawings of its own, a photo that nobody drew would have no sketch to be paired with.
        if not config.synthetic:
            keys = {record.photo for record in sketches}
            photos = tuple(photo for photo in photos if photo.key in keys)
        return cls(config, dataset, photos, sketches)

    @property
    def photo_names(self) -> list[str]:
        """Paths of the photos below the data directory."""
        return [f"{self.config.folder}/{self.dataset.photo_name(photo)}" for photo in self.photos]

    @property
    def sketch_names(self) -> list[str]:
        """Names of the sketches, the folder before each: those of photos, then the labelled ones."""
        drawn: tuple[SketchRecord | LabelledSketch, ...] = (*self.sketches, *self.labelled)
        return [f"{self.config.folder}/{item.sketch.name}" for item in drawn]

    @property
    def styles(self) -> int:
        """How many synthetic drawings there are of each photo."""
        return (self.config.drawings or len(DRAWING_STYLES)) if self.config.synthetic else 0

    @property
    def headline(self) -> str:
        """The sizes, and the findings of reading the set: no row is dropped silently."""
        findings = f"; findings: {summarise(self.dataset.findings)}" if self.dataset.findings else ""
        return f"{self.config.folder}: {len(self.photos):,} photos, {len(self.sketch_names):,} sketches{findings}"


@dataclass(frozen=True)
class SetContent:
    """How much of a data set is trained on. `drawn`: synthetic drawings; `left_out`: images that could not be used.

    `terms`: the first line of TERMS.txt in its folder, empty where there is none.
    """

    folder: str
    photos: int
    sketches: int
    labelled: int
    drawn: int
    left_out: int = 0
    terms: str = ""

    @classmethod
    def of(cls, chosen: TrainingSet, left_out: int = 0) -> SetContent:
        """Of a chosen set. Raises OSError."""
        file = chosen.dataset.root / TERMS_NAME
        lines = file.read_text(encoding="utf-8-sig").strip().splitlines() if file.is_file() else []
        return cls(
            folder=chosen.config.folder,
            photos=len(chosen.photos),
            sketches=len(chosen.sketches),
            labelled=len(chosen.labelled),
            drawn=len(chosen.photos) * chosen.styles,
            left_out=left_out,
            terms=lines[0] if lines else "",
        )


def trainable_photos(dataset: PairDataset, split: str) -> tuple[Photo, ...]:
    """Photos of the split's categories that no other split's sketch shows: its own, and those without sketches.

    In order of their keys. Raises SplitMissing.
    """
    categories = {record.photo.category for record in dataset.records_of(split)}
    elsewhere = {record.photo for record in dataset.records if record.split != split}
    return tuple(
        photo
        for key, photo in sorted(dataset.photos.items())
        if key.category in categories and key not in elsewhere and photo.split in ("", split)
    )
