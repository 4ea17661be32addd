"""Images that an encoder's numbers are measured on before it is changed: of what it was trained on, never of `val`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.data.datasets import open_dataset
from models.data.images.training_sets import SetConfig

_SEED = 0
_LEARNT = "train"  # the split of kinds that encoders are trained on

Item = TypeVar("Item")


@dataclass(frozen=True)
class Calibration:
    """Inputs of both encoders (N, 3, S, S), and how many pairs came from which folder.

    `drawings`: of kinds, (N', 3, S, S), more inputs of the sketch encoder, which belong to no pair.
    """

    sketches: NDArray[np.float32]
    photos: NDArray[np.float32]
    folders: dict[str, int]
    drawings: NDArray[np.float32]


def calibration_images(
    bundle: Bundle, data: Path, sets: Sequence[SetConfig], pairs: int, kinds: Path | None = None
) -> Calibration:
    """About `pairs` training pairs, as many from each set, prepared as the bundle prepares them; always the same ones.

    `kinds`: a folder of drawings by kind, of whose split `train` at most as many are taken. Raises DatasetError,
    ImageError.
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
    labelled = () if kinds is None else open_dataset(kinds).split(_LEARNT).labelled
    drawn = [bundle.sketch.read(drawing.sketch.image).pixels for drawing in _sample(labelled, pairs, random)]
    stacked = np.stack(sketches)
    return Calibration(stacked, np.stack(photos), folders, np.stack(drawn) if drawn else stacked[:0])


def _sample(records: Sequence[Item], count: int, random: np.random.Generator) -> list[Item]:
    return [records[row] for row in sorted(random.permutation(len(records))[:count].tolist())]
