"""QMUL Shoe-V2 and Chair-V2 as strokes: the pickle `<Name>_Coordinate` beside `photo/`.

The pickle is a dictionary from `/train|test/<photo id>_<suffix>` to (points, 3) floats: absolute x and y on a 256 x 256
canvas and 1 on a stroke's last point. Only its keys say what is train and what is test.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.data.datasets.files.folders import bases, before_last, category_from, images_in, is_visible, required_bases
from models.data.datasets.files.restricted_pickle import load_arrays
from models.data.datasets.records.collector import Collector
from models.data.datasets.records.dataset import PairDataset
from models.data.datasets.records.findings import FindingKind
from models.data.datasets.records.options import ReadOptions
from models.data.datasets.records.record import Photo, PhotoKey
from models.data.datasets.records.sketch_source import CANVAS, StrokeSketch

REQUIRES = "<Name>_Coordinate (a pickle of strokes) and photo/"

_SPLITS = ("train", "test")
# Strokes may run a little over the edge; offsets instead of positions, or another scale, would be far off.
_SLACK = 0.1 * CANVAS


def recognises(root: Path) -> bool:
    """Whether such a pickle and a folder of photos are there. The pickle is not opened."""
    return bool(bases(root, _is_base))


def read(root: Path, options: ReadOptions) -> PairDataset:
    """Read every set below `root`. Raises LayoutIncomplete, PickleRejected."""
    folders = required_bases(root, _is_base, REQUIRES)
    collector = Collector(root, options.keep_marked)
    for base in folders:
        archive = _archive(base)
        assert archive is not None
        category = category_from(Path(archive.name.removesuffix("_Coordinate")))
        drawings = load_arrays(archive)
        splits = _photo_splits(drawings)
        for path in images_in(base / "photo"):
            # No list divides the photos: those without a sketch may be sought in any split.
            collector.add_photo(Photo(PhotoKey(category, path.stem), path, splits.get(path.stem, "")))
        for key, points in drawings.items():
            _add_sketch(collector, key, points, category)
    return collector.build(root.name, "qmul-vector")


def _is_base(folder: Path) -> bool:
    return (folder / "photo").is_dir() and _archive(folder) is not None


def _archive(base: Path) -> Path | None:
    return next((p for p in sorted(base.glob("*_Coordinate")) if p.is_file() and is_visible(p)), None)


def _parts(key: str) -> tuple[str, str] | None:
    """`/train/<photo id>_<suffix>` -> (train, photo id)."""
    folder, _, name = key.rpartition("/")
    split = folder.rpartition("/")[2].lower()
    parts = before_last(name, "_")
    return (split, parts[0]) if split in _SPLITS and parts else None


def _photo_splits(keys: Iterable[str]) -> dict[str, str]:
    """Photo id -> the split of its first sketch."""
    splits: dict[str, str] = {}
    for parts in filter(None, map(_parts, keys)):
        split, photo_id = parts
        splits.setdefault(photo_id, split)
    return splits


def _add_sketch(collector: Collector, key: str, points: NDArray[np.float32], category: str) -> None:
    parts = _parts(key)
    if parts is None:
        collector.note(FindingKind.BAD_NAME, key, "a key is /train|test/<photo id>_<suffix>; left out")
        return
    if points.ndim != 2 or points.shape[1] != 3 or not np.isfinite(points).all():
        collector.note(FindingKind.UNREADABLE, key, f"shape {points.shape}, not finite (points, 3); left out")
        return
    on_canvas = points.size and points[:, :2].min() >= -_SLACK and points[:, :2].max() <= CANVAS + _SLACK
    if not on_canvas:
        collector.note(
            FindingKind.UNREADABLE, key, "no points, or not absolute positions on a 256 x 256 canvas; left out"
        )
        return
    split, photo_id = parts
    collector.add_sketch(StrokeSketch(key, points), PhotoKey(category, photo_id), split)
