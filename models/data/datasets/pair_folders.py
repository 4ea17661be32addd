"""Sketch-photo pairs from a folder of any known layout, as files: what training and its validation read."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from models.data.datasets import ImageSketch, PairDataset, SketchSource, open_dataset
from models.data.datasets.pairs import Pair, PairsError, PairSet, Photo, load_photos


class StrokesNotDrawn(PairsError):
    """The set's sketches are strokes, and there is no folder to draw them into."""


def open_pairs(root: Path, drawings: Path | None = None) -> PairSet:
    """A folder with manifest.csv, every row of which must hold, or an official download as it unpacks.

    `drawings`: a folder for sketches that are strokes; each is drawn there once, under the hash of its strokes.
    Raises PairsError, DatasetError, ImageError.
    """
    if (root / "manifest.csv").is_file():
        return PairSet.load(root)
    return _as_files(open_dataset(root), drawings)


def open_photos(root: Path) -> tuple[Photo, ...]:
    """The photos of a folder, with or without sketches. Raises PairsError, DatasetError."""
    if (root / "photos.csv").is_file():
        return load_photos(root)
    return tuple(open_dataset(root).photos.values())


def _as_files(dataset: PairDataset, drawings: Path | None) -> PairSet:
    pairs = []
    for record in dataset.records:
        if isinstance(record.sketch, ImageSketch):
            path = record.sketch.path
        elif drawings is None:
            raise StrokesNotDrawn(f"the sketches of {dataset.name} are strokes: say where to draw them")
        else:
            path = _drawn(record.sketch, drawings)
        pairs.append(Pair(path, record.photo, record.split))
    return PairSet(dataset.name, tuple(pairs), dict(dataset.photos))


def _drawn(sketch: SketchSource, folder: Path) -> Path:
    """Whole or not at all: several processes may draw at once."""
    path = folder / f"{hashlib.sha256(sketch.content()).hexdigest()}.png"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        staged = path.with_suffix(f".{os.getpid()}.partial")
        sketch.image().convert("L").save(staged, "PNG")
        staged.replace(path)
    return path
