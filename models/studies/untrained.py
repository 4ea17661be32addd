"""The untrained baseline: ImageNet features on the students' grid, standardised by domain, cosine; nothing learned.

    python -m models.studies.untrained --data DIR

Mean and deviation of each number come from the set's *training* sketches and photos: without them all sketches look
alike, and an average over the photos that are searched would know the test.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from models.bundle.preprocess import Preprocess
from models.data.datasets.pair_folders import open_pairs
from models.data.datasets.pairs import Pair, Photo
from models.errors import InkseekError
from models.evaluation.protocol import BothFigures, measure_both
from models.evaluation.splits import STANDARD_SPLITS, ValidationSplit, load_galleries
from models.networks.grid_students import StudentConfig, Students
from models.training.engine.validation import preprocesses
from models.training.weights.pretrained import RESNET18_IMAGENET, fetch

_SAMPLE = 400  # training images of each domain for mean and deviation
_BATCH = 32
T = TypeVar("T")


@dataclass(frozen=True)
class _Domain:
    """Grid features of one domain, standardised."""

    students: Students
    preprocess: Preprocess
    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    @classmethod
    def fit(cls, students: Students, preprocess: Preprocess, paths: Sequence[Path]) -> _Domain:
        """Mean and deviation of each number over these images."""
        features = _features(students, preprocess, paths)
        return cls(students, preprocess, features.mean(axis=0), features.std(axis=0) + 1e-3)

    def encode(self, paths: Sequence[Path]) -> NDArray[np.float32]:
        """Images -> (N, C * grid * grid) unit rows."""
        rows = (_features(self.students, self.preprocess, paths) - self.mean) / self.deviation
        unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit


def untrained_figures(
    students: Students, data: Path, splits: Sequence[ValidationSplit] = STANDARD_SPLITS, seed: int = 0
) -> dict[str, BothFigures]:
    """The figures of each split; of `students` only the trunk and the grid are used. Raises PairsError."""
    students.eval()
    sketch, photo = preprocesses(students.config.size_px)
    figures = {}
    for split in splits:
        pairs = open_pairs(data / split.folder)
        sample = np.random.default_rng(seed).permutation(len(pairs.split("train")))[:_SAMPLE]
        drawn = [pairs.split("train")[number] for number in sample]
        sketches = _Domain.fit(students, sketch, [pair.sketch_path for pair in drawn])
        photos = _Domain.fit(students, photo, list({pairs.photos[pair.photo].path: None for pair in drawn}))
        galleries = load_galleries(data, [split])[split.name]
        figures[split.name] = measure_both(galleries, _by_path(sketches, _sketch_path), _by_path(photos, _photo_path))
    return figures


@torch.no_grad()
def _features(students: Students, preprocess: Preprocess, paths: Sequence[Path]) -> NDArray[np.float32]:
    rows = []
    for start in range(0, len(paths), _BATCH):
        batch = torch.from_numpy(np.stack([preprocess.read(path) for path in paths[start : start + _BATCH]]))
        rows.append(students.sketch.cells(batch).flatten(1).numpy())
    return np.concatenate(rows)


def _by_path(domain: _Domain, path: Callable[[T], Path]) -> Callable[[Sequence[T]], NDArray[np.float32]]:
    return lambda items: domain.encode([path(item) for item in items])


def _sketch_path(pair: Pair) -> Path:
    return pair.sketch_path


def _photo_path(photo: Photo) -> Path:
    return photo.path


def main(arguments: list[str] | None = None) -> int:
    """Command line. Exit code 2: the data or the pretrained weights cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m models.studies.untrained", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds the data sets")
    parser.add_argument("--weights", type=Path, help="a folder that keeps the pretrained weights between runs")
    given = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as folder:
            published = fetch(RESNET18_IMAGENET, given.weights or Path(folder))
        students = Students(StudentConfig())
        trunk = students.sketch.trunk
        trunk.load_state_dict({name: published[name] for name in trunk.state_dict()})
        figures = untrained_figures(students, given.data)
    except InkseekError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    rows = {name: {**both.plain.as_dict(), "centred": both.centred.as_dict()} for name, both in figures.items()}
    sys.stdout.write(json.dumps(rows, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
