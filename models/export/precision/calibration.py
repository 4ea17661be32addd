"""Images that an encoder's ranges are found on: drawn from what it was trained on, never from a validation split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.data.datasets.pair_folders import open_pairs
from models.data.datasets.pairs import Pair
from models.data.images.training_images import SetConfig

_SEED = 0


@dataclass(frozen=True)
class Calibration:
    """Inputs of both encoders (N, 3, S, S), and how many pairs came from which folder."""

    sketches: NDArray[np.float32]
    photos: NDArray[np.float32]
    folders: dict[str, int]


def calibration_images(
    bundle: Bundle, data: Path, sets: Sequence[SetConfig], pairs: int, drawings: Path
) -> Calibration:
    """About `pairs` training pairs, as many from each set, prepared as the bundle prepares them; always the same ones.

    `drawings`: see `open_pairs`. Raises PairsError, DatasetError.
    """
    random = np.random.default_rng(_SEED)
    sketches, photos, folders = [], [], {}
    for chosen in sets:
        known = open_pairs(data / chosen.folder, drawings)
        drawn = [pair for pair in known.split(chosen.split) if pair.photo.photo_id not in chosen.exclude]
        picked = _sample(drawn, -(-pairs // len(sets)), random)
        folders[chosen.folder] = len(picked)
        for pair in picked:
            sketches.append(bundle.sketch.read(pair.sketch_path).pixels)
            photos.append(bundle.photo.read(known.photos[pair.photo].path).pixels)
    return Calibration(np.stack(sketches), np.stack(photos), folders)


def _sample(pairs: Sequence[Pair], count: int, random: np.random.Generator) -> list[Pair]:
    return [pairs[row] for row in sorted(random.permutation(len(pairs))[:count].tolist())]
