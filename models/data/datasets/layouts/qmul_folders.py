"""QMUL Shoe-V2 and Chair-V2 as they unpack: `trainA`, `testA` hold sketches, `trainB`, `testB` photos.

A sketch `<photo id>_<suffix>.png` belongs to `<photo id>.png`. Photo ids may hold underscores, and the suffix is not
always one digit: `10`, `43` and names of crowd workers occur. The ink may be in the alpha channel alone.
HNU Clothes-V1 has the same layout with the designer as suffix.
"""

from __future__ import annotations

from pathlib import Path

from models.data.datasets.files.folders import bases, before_last, category_from, images_in, required_bases
from models.data.datasets.records.collector import Collector
from models.data.datasets.records.dataset import PairDataset
from models.data.datasets.records.findings import FindingKind
from models.data.datasets.records.options import ReadOptions
from models.data.datasets.records.record import Photo, PhotoKey
from models.data.datasets.records.sketch_source import ImageSketch

REQUIRES = "trainA/ (sketches) and trainB/ (photos), or testA/ and testB/"

_SPLITS = ("train", "test")


def recognises(root: Path) -> bool:
    """Whether a pair of such folders is there."""
    return bool(bases(root, _is_base))


def read(root: Path, options: ReadOptions) -> PairDataset:
    """Read every set below `root`: ShoeV2 beside ChairV2 makes two categories. Raises LayoutIncomplete."""
    folders = required_bases(root, _is_base, REQUIRES)
    collector = Collector(root, options.keep_marked)
    for base in folders:
        category = category_from(base)
        # All photos before any sketch: a sketch whose photo lies in the other split is a leak, not a missing photo.
        for split in _SPLITS:
            for path in images_in(base / f"{split}B"):
                collector.add_photo(Photo(PhotoKey(category, path.stem), path, split))
        for split in _SPLITS:
            for path in images_in(base / f"{split}A"):
                add_suffixed_sketch(collector, path, category, split)
    return collector.build(root.name, "qmul-folders")


def add_suffixed_sketch(collector: Collector, path: Path, category: str, split: str) -> None:
    """Enter the sketch `<photo id>_<suffix>`."""
    parts = before_last(path.stem, "_")
    if parts is None:
        collector.note(FindingKind.BAD_NAME, path, "a sketch's name is <photo id>_<suffix>; left out")
        return
    photo_id, suffix = parts
    # Only there does the suffix name a person: elsewhere it mostly counts the sketches of a photo.
    person = suffix if category == "clothes" else ""
    collector.add_sketch(ImageSketch(collector.name_of(path), path), PhotoKey(category, photo_id), split, person=person)


def _is_base(folder: Path) -> bool:
    return any((folder / f"{split}A").is_dir() and (folder / f"{split}B").is_dir() for split in _SPLITS)
