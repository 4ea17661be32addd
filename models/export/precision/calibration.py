"""Images that an encoder's ranges are found on: sampled from what it was trained on, never from a validation split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.data.datasets import SketchRecord, open_dataset
from models.data.images.training_sets import SetConfig

_SEED = 0


@dataclass(frozen=True)
class Calibration:
    """Inputs of both encoders (N, 3, S, S), and how many pairs came from which folder."""

    sketches: NDArray[np.float32]
    photos: NDArray[np.float32]
    folders: dict[str, int]


def calibration_images(bundle: Bundle, data: Path, sets: Sequence[SetConfig], pairs: int) -> Calibration:
    """About `pairs` training pairs, as many from each set, prepared as the bundle prepares them; always the same ones.

    Raises DatasetError, ImageError.
    """
    random = np.random.default_rng(_SEED)
    sketches, photos, folders = [], [], {}
    for chosen in sets:
        dataset = open_dataset(data / chosen.folder)
        records = [record for record in dataset.records_of(chosen.split) if record.photo.photo_id not in chosen.exclude]
        picked = _sample(records, -(-pairs // len(sets)), random)
        folders[chosen.folder] = len(picked)
        for record in picked:
            sketches.append(bundle.sketch.read(record.sketch.image).pixels)
            photos.append(bundle.photo.read(dataset.photo_of(record).path).pixels)
    return Calibration(np.stack(sketches), np.stack(photos), folders)


def _sample(records: Sequence[SketchRecord], count: int, random: np.random.Generator) -> list[SketchRecord]:
    return [records[row] for row in sorted(random.permutation(len(records))[:count].tolist())]
