"""A folder in any known format to one `PairDataset`: which format it is, is seen from what lies on disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.data.datasets.layouts import (
    category_folders,
    fscoco,
    manifest,
    qmul_flat,
    qmul_folders,
    qmul_v1,
    qmul_vector,
    quickdraw,
    sketchy,
)
from models.data.datasets.records.dataset import PairDataset
from models.data.datasets.records.errors import DatasetNotFound, FormatAmbiguous, FormatUnknown
from models.data.datasets.records.options import ReadOptions


@dataclass(frozen=True)
class Format:
    """A layout: how it is recognised, in words and by a function, and how it is read."""

    name: str
    looked_for: str
    recognises: Callable[[Path], bool]
    read: Callable[[Path, ReadOptions], PairDataset]


FORMATS = (
    Format("manifest", manifest.LOOKED_FOR, manifest.recognises, manifest.read),
    Format("sketchy", sketchy.LOOKED_FOR, sketchy.recognises, sketchy.read),
    Format("qmul-folders", qmul_folders.LOOKED_FOR, qmul_folders.recognises, qmul_folders.read),
    Format("qmul-flat", qmul_flat.LOOKED_FOR, qmul_flat.recognises, qmul_flat.read),
    Format("qmul-vector", qmul_vector.LOOKED_FOR, qmul_vector.recognises, qmul_vector.read),
    Format("qmul-v1", qmul_v1.LOOKED_FOR, qmul_v1.recognises, qmul_v1.read),
    Format("fscoco", fscoco.LOOKED_FOR, fscoco.recognises, fscoco.read),
    Format("quickdraw", quickdraw.LOOKED_FOR, quickdraw.recognises, quickdraw.read),
    Format("category-folders", category_folders.LOOKED_FOR, category_folders.recognises, category_folders.read),
)


def open_dataset(
    path: Path,
    format: str = "auto",
    *,
    options: ReadOptions | None = None,
    strict: bool = False,
    say: Callable[[str], None] | None = None,
) -> PairDataset:
    """Read the data set in the folder `path`; no image is decoded (`check_content` does that).

    `format`: the name of one of `FORMATS`, or `auto`. `strict`: refuse a set with flaws. `say` is given the counts that
    were loaded. Raises DatasetError and its descendants, ColumnMissing.
    """
    root = path.expanduser()
    if not root.is_dir():
        raise DatasetNotFound(f"{path} is not there" if not root.exists() else f"{path} is a file, not a folder")
    dataset = _chosen(root.absolute(), format).read(root.absolute(), options or ReadOptions())
    if say is not None:
        say(dataset.summary())
    if strict:
        dataset.require_flawless()
    return dataset


def _chosen(root: Path, name: str) -> Format:
    if name != "auto":
        chosen = next((known for known in FORMATS if known.name == name), None)
        if chosen is None:
            raise FormatUnknown(f"no format is called {name!r}; known: auto, {', '.join(f.name for f in FORMATS)}")
        if not chosen.recognises(root):
            raise FormatUnknown(f"{root} is not of the format {name}: looked for {chosen.looked_for}")
        return chosen
    # A manifest is written to say how a folder is to be read: it goes before whatever else lies there.
    found = [known for known in FORMATS if known.recognises(root)]
    if not found:
        lines = "".join(f"\n  {known.name}: {known.looked_for}" for known in FORMATS)
        raise FormatUnknown(f"{root} holds no known data set. Looked there, and up to two folders below, for{lines}")
    if len(found) > 1 and found[0].name != "manifest":
        names = ", ".join(known.name for known in found)
        raise FormatAmbiguous(f"{root} holds more than one layout: {names}. Choose one, or a folder with one alone")
    return found[0]
