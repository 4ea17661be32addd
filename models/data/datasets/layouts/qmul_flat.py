"""QMUL Shoe-V2 and Chair-V2 as TC-Net and its forks keep them: flat folders, divided by lists of file names.

`ShoeV2_photo/`, `ShoeV2_sketch/` (or `_sketch_png`), and `photo_train.txt`, `photo_test.txt`, `sketch_train.txt`,
`sketch_test.txt` beside them. The lists may name another ending (`.svg`) than the files have.
"""

from __future__ import annotations

from pathlib import Path

from models.data.datasets.files.folders import bases, category_from, folders_in, images_in, lines_of, required_bases
from models.data.datasets.layouts.qmul_folders import add_suffixed_sketch
from models.data.datasets.records.collector import Collector
from models.data.datasets.records.dataset import PairDataset
from models.data.datasets.records.findings import FindingKind
from models.data.datasets.records.options import ReadOptions
from models.data.datasets.records.record import Photo, PhotoKey

REQUIRES = "<Name>_photo/, <Name>_sketch/ and photo_train.txt, photo_test.txt, sketch_train.txt, sketch_test.txt"

_SPLITS = ("train", "test")


def recognises(root: Path) -> bool:
    """Whether flat folders and a list of each kind are there."""
    return bool(bases(root, _is_base))


def read(root: Path, options: ReadOptions) -> PairDataset:
    """Read every set below `root`. Raises LayoutIncomplete."""
    folders = required_bases(root, _is_base, REQUIRES)
    collector = Collector(root, options.keep_marked)
    for base in folders:
        photos, sketches = _folder(base, "photo"), _folder(base, "sketch")
        assert photos is not None and sketches is not None
        category = category_from(photos)
        splits = _splits_of(collector, base, "photo", photos)
        for path in images_in(photos):
            if path.stem not in splits:
                collector.note(FindingKind.UNLISTED, path, "in no list; kept in the gallery of every split")
            collector.add_photo(Photo(PhotoKey(category, path.stem), path, splits.get(path.stem, "")))
        splits = _splits_of(collector, base, "sketch", sketches)
        for path in images_in(sketches):
            if path.stem in splits:
                add_suffixed_sketch(collector, path, category, splits[path.stem])
            else:
                collector.note(FindingKind.UNLISTED, path, "in no list; left out")
    return collector.build(root.name, "qmul-flat")


def _is_base(folder: Path) -> bool:
    lists = [any((folder / f"{kind}_{split}.txt").is_file() for split in _SPLITS) for kind in ("photo", "sketch")]
    return all(lists) and _folder(folder, "photo") is not None and _folder(folder, "sketch") is not None


def _folder(base: Path, kind: str) -> Path | None:
    endings = (f"_{kind}", f"_{kind}_png", f"_{kind}s")
    return next((folder for folder in folders_in(base) if folder.name.lower().endswith(endings)), None)


def _splits_of(collector: Collector, base: Path, kind: str, folder: Path) -> dict[str, str]:
    """File stem -> split, with a finding for each name that is in both lists or not in the folder."""
    there = {path.stem for path in images_in(folder)}
    splits: dict[str, str] = {}
    for split in _SPLITS:
        table = base / f"{kind}_{split}.txt"
        if not table.is_file():
            collector.note(FindingKind.MISSING_FILE, table, "missing: nothing is in this split")
            continue
        for line in lines_of(table):
            name = line.replace("\\", "/").rpartition("/")[2]
            stem = name.rpartition(".")[0] or name
            if stem not in there:
                collector.note(
                    FindingKind.MISSING_FILE, f"{folder.name}/{stem}", f"{table.name} names it; it is missing"
                )
            # `_SPLITS` begins with train, so the first entry of a name in both lists is the one of train.
            elif splits.setdefault(stem, split) != split:
                collector.note(
                    FindingKind.SPLIT_LEAK, f"{folder.name}/{stem}", "in the lists of both splits; kept in train"
                )
    return splits
