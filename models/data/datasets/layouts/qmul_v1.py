"""QMUL Shoe-V1 and Chair-V1 as `sbir_cvpr2016` unpacks: `shoes|chairs/train|test/images|sketches/`.

A sketch has its photo's name, `12.png` to `12.jpg`; enlarged sets append `_<number>`. Where
`annotation/<set>_annotation.json` is there, its lists `images` and `sketches` say which belong together, by position.
"""

from __future__ import annotations

import json
from collections.abc import Container
from pathlib import Path
from typing import Any

from models.data.datasets.files.folders import bases, before_last, category_from, images_in, required_bases
from models.data.datasets.records.collector import Collector
from models.data.datasets.records.dataset import PairDataset
from models.data.datasets.records.findings import FindingKind
from models.data.datasets.records.options import ReadOptions
from models.data.datasets.records.record import Photo, PhotoKey
from models.data.datasets.records.sketch_source import ImageSketch

REQUIRES = "train/images/ and train/sketches/, or test/images/ and test/sketches/"

_SPLITS = ("train", "test")


def recognises(root: Path) -> bool:
    """Whether such folders are there."""
    return bool(bases(root, _is_base))


def read(root: Path, options: ReadOptions) -> PairDataset:
    """Read every set below `root`: shoes beside chairs make two categories. Raises LayoutIncomplete."""
    folders = required_bases(root, _is_base, REQUIRES)
    collector = Collector(root, options.keep_marked)
    for base in folders:
        category = category_from(base)
        annotation = _annotation(collector, base)
        photos = {split: {path.stem: path for path in images_in(base / split / "images")} for split in _SPLITS}
        # Where both splits count from 1, the split is part of a photo's identity.
        clash = photos["train"].keys() & photos["test"].keys()
        for split in _SPLITS:
            prefix = f"{split}/" if clash else ""
            for stem, path in photos[split].items():
                collector.add_photo(Photo(PhotoKey(category, prefix + stem), path, split))
            partners = _partners(annotation.get(split))
            for path in images_in(base / split / "sketches"):
                photo = partners.get(path.stem) or _by_name(path.stem, photos[split])
                sketch = ImageSketch(collector.name_of(path), path)
                collector.add_sketch(sketch, PhotoKey(category, prefix + photo), split)
    return collector.build(root.name, "qmul-v1")


def _is_base(folder: Path) -> bool:
    return any((folder / s / "images").is_dir() and (folder / s / "sketches").is_dir() for s in _SPLITS)


def _by_name(stem: str, photos: Container[str]) -> str:
    """The photo of the same name, or of the name before the last underscore."""
    parts = before_last(stem, "_")
    return parts[0] if stem not in photos and parts else stem


def _annotation(collector: Collector, base: Path) -> dict[str, Any]:
    table = next(iter(sorted((base / "annotation").glob("*_annotation.json"))), None)
    if table is None:
        return {}
    try:
        content = json.loads(table.read_bytes())
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        collector.note(FindingKind.UNREADABLE, table, "no JSON object; sketches and photos are matched by their names")
        return {}
    return content


def _partners(part: object) -> dict[str, str]:
    """Sketch stem -> photo stem; empty where the lists are not of one length."""
    if not isinstance(part, dict):
        return {}
    photos, sketches = part.get("images"), part.get("sketches")
    if not isinstance(photos, list) or not isinstance(sketches, list) or len(photos) != len(sketches):
        return {}
    return {Path(str(sketch)).stem: Path(str(photo)).stem for sketch, photo in zip(sketches, photos, strict=True)}
