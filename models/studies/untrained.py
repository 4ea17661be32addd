"""The untrained baseline: ImageNet features on the students' grid, standardised by domain, cosine; nothing learned.

Mean and deviation of each number come from the set's *training* sketches and photos: without them all sketches look
alike, and an average over the photos that are searched would know the test.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from models.bundle import ImageFile
from models.bundle.preprocess import Preprocess
from models.data.datasets import Photo, SketchRecord, open_dataset
from models.evaluation.protocol import BothFigures, measure_both
from models.evaluation.splits import STANDARD_SPLITS, ValidationSplit, load_galleries
from models.networks.grid_students import GridStudentConfig, GridStudents
from models.networks.preprocessing import preprocesses
from models.training.weights.pretrained import RESNET18_IMAGENET, fetch

_SAMPLE = 400  # training images of each domain for mean and deviation
_BATCH = 32
T = TypeVar("T")


@dataclass(frozen=True)
class _Domain:
    """Grid features of one domain, standardised."""

    students: GridStudents
    preprocess: Preprocess
    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    @classmethod
    def fit(cls, students: GridStudents, preprocess: Preprocess, files: Sequence[ImageFile]) -> _Domain:
        """Mean and deviation of each number over these images."""
        features = _features(students, preprocess, files)
        # A number that is the same in all images would be divided by 0.
        return cls(students, preprocess, features.mean(axis=0), features.std(axis=0) + 1e-3)

    def encode(self, files: Sequence[ImageFile]) -> NDArray[np.float32]:
        """Images -> (N, C * grid * grid) unit rows."""
        rows = (_features(self.students, self.preprocess, files) - self.mean) / self.deviation
        unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit


def untrained_figures(
    students: GridStudents, data: Path, splits: Sequence[ValidationSplit] = STANDARD_SPLITS, seed: int = 0
) -> dict[str, BothFigures]:
    """The figures of each split; of `students` only the trunk and the grid are used. Raises DatasetError."""
    students.eval()
    sketch, photo = preprocesses(students.config.size_px)
    figures = {}
    for split in splits:
        dataset = open_dataset(data / split.folder)
        records = dataset.records_of("train")
        drawn = [records[number] for number in np.random.default_rng(seed).permutation(len(records))[:_SAMPLE]]
        sketches = _Domain.fit(students, sketch, _sketches(drawn))
        # Each photo once, though several of the sketches may be of it.
        photos = _Domain.fit(students, photo, _photos(list(dict.fromkeys(map(dataset.photo_of, drawn)))))
        galleries = load_galleries(data, [split])[split.name]
        figures[split.name] = measure_both(galleries, _encoder(sketches, _sketches), _encoder(photos, _photos))
    return figures


@torch.no_grad()
def _features(students: GridStudents, preprocess: Preprocess, files: Sequence[ImageFile]) -> NDArray[np.float32]:
    rows = []
    for start in range(0, len(files), _BATCH):
        batch = torch.from_numpy(np.stack([preprocess.read(file) for file in files[start : start + _BATCH]]))
        rows.append(students.sketch.cells(batch).flatten(1).numpy())
    return np.concatenate(rows)


def _encoder(
    domain: _Domain, files: Callable[[Sequence[T]], list[ImageFile]]
) -> Callable[[Sequence[T]], NDArray[np.float32]]:
    return lambda items: domain.encode(files(items))


def _sketches(records: Sequence[SketchRecord]) -> list[ImageFile]:
    return [record.sketch.image for record in records]


def _photos(photos: Sequence[Photo]) -> list[ImageFile]:
    return [photo.path for photo in photos]


def imagenet_figures(data: Path, weights: Path | None = None) -> dict[str, dict[str, Any]]:
    """The figures of the standard splits under `data`, by split, of an untrained ResNet-18 grid student.

    `weights`: a folder that keeps downloaded weights; by default they are downloaded and discarded. Raises PairsError,
    PretrainedError.
    """
    with tempfile.TemporaryDirectory() as folder:
        published = fetch(RESNET18_IMAGENET, weights or Path(folder))
    students = GridStudents(GridStudentConfig())
    students.sketch.trunk.load_published(published)
    figures = untrained_figures(students, data)
    return {name: {**both.plain.as_dict(), "centred": both.centred.as_dict()} for name, both in figures.items()}
