"""The named validation splits that every figure of the project refers to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.bundle import BundleManifest
from models.data.datasets import open_dataset, read_photos, require_below
from models.evaluation.kinds.measure import KindTask, kind_task
from models.evaluation.protocol import CategoryGallery, category_galleries


@dataclass(frozen=True)
class ValidationSplit:
    """A split of a data set, or one category of it."""

    name: str
    folder: str
    split: str
    category: str | None = None


STANDARD_SPLITS: tuple[ValidationSplit, ...] = (
    ValidationSplit("shoe_val", "qmul_v1_train", "val", "shoe"),
    ValidationSplit("chair_val", "qmul_v1_train", "val", "chair"),
    ValidationSplit("sketchy_val_seen", "sketchy104", "val_seen"),
    ValidationSplit("sketchy_val_unseen", "sketchy104", "val_unseen"),
)


def validation_splits(manifest: BundleManifest) -> tuple[ValidationSplit, ...]:
    """The splits that a bundle's experiment names, or the standard ones where it says nothing of the sort."""
    experiment = manifest.provenance.get("experiment")
    named = experiment.get("validation") if isinstance(experiment, dict) else None
    try:
        return tuple(ValidationSplit(**split) for split in named) if named else STANDARD_SPLITS
    except TypeError:
        return STANDARD_SPLITS


def load_galleries(
    data: Path, splits: Sequence[ValidationSplit] = STANDARD_SPLITS
) -> dict[str, tuple[CategoryGallery, ...]]:
    """The galleries of each split by its name; each folder below `data` is opened once. Raises DatasetError."""
    require_below(data, [split.folder for split in splits])
    sets = {folder: open_dataset(data / folder) for folder in dict.fromkeys(split.folder for split in splits)}
    return {
        split.name: tuple(
            gallery
            for gallery in category_galleries(sets[split.folder], split.split)
            if split.category in (None, gallery.category)
        )
        for split in splits
    }


@dataclass(frozen=True)
class KindSearches:
    """Drawings of kinds that are searched for in a mixed gallery; see `kind_task`.

    `drawings`: a folder of drawings by kind. `splits`: of its kinds. `gallery`: a CSV manifest of the photos.
    """

    drawings: Path
    gallery: Path
    splits: tuple[str, ...] = ("val",)


def load_kinds(searches: KindSearches) -> dict[str, KindTask]:
    """The task of each split by its name, such as `kinds_val`. Raises DatasetError, EvaluationError."""
    dataset, photos = open_dataset(searches.drawings), read_photos(searches.gallery)
    return {f"kinds_{split}": kind_task(dataset, photos, split) for split in searches.splits}
