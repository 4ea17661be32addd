"""A folder in any known format to one `PairDataset`; the format is recognised from the files in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.data.datasets.below import artefact_at
from models.data.datasets.layouts import (
    category_folders,
    fscoco,
    manifest,
    qmul_flat,
    qmul_folders,
    qmul_v1,
    qmul_vector,
    quickdraw,
    quickdraw_bitmaps,
    sketchy,
)
from models.data.datasets.records.dataset import PairDataset
from models.data.datasets.records.errors import DatasetNotFound, FormatAmbiguous, FormatUnknown
from models.data.datasets.records.options import ReadOptions

_SHOWN = 6  # data sets in a message


@dataclass(frozen=True)
class Format:
    """A layout: what it requires, in words and as a predicate that opens no image, and its reader."""

    name: str
    requires: str
    recognises: Callable[[Path], bool]
    read: Callable[[Path, ReadOptions], PairDataset]


FORMATS = (
    Format("manifest", manifest.REQUIRES, manifest.recognises, manifest.read),
    Format("sketchy", sketchy.REQUIRES, sketchy.recognises, sketchy.read),
    Format("qmul-folders", qmul_folders.REQUIRES, qmul_folders.recognises, qmul_folders.read),
    Format("qmul-flat", qmul_flat.REQUIRES, qmul_flat.recognises, qmul_flat.read),
    Format("qmul-vector", qmul_vector.REQUIRES, qmul_vector.recognises, qmul_vector.read),
    Format("qmul-v1", qmul_v1.REQUIRES, qmul_v1.recognises, qmul_v1.read),
    Format("fscoco", fscoco.REQUIRES, fscoco.recognises, fscoco.read),
    Format("quickdraw", quickdraw.REQUIRES, quickdraw.recognises, quickdraw.read),
    Format("quickdraw-bitmaps", quickdraw_bitmaps.REQUIRES, quickdraw_bitmaps.recognises, quickdraw_bitmaps.read),
    Format("category-folders", category_folders.REQUIRES, category_folders.recognises, category_folders.read),
)


def open_dataset(
    path: Path,
    format: str = "auto",
    *,
    options: ReadOptions | None = None,
    strict: bool = False,
    log: Callable[[str], None] | None = None,
) -> PairDataset:
    """Read the data set in the folder `path`; no image is decoded (`check_content` does that).

    `format`: the name of one of `FORMATS`, or `auto`, which recognises it. `strict`: reject a data set with flaws.
    `log` gets the data set's summary. Raises DatasetError.
    """
    root = path.expanduser().absolute()
    if not root.is_dir():
        raise DatasetNotFound(f"{path} is a file, not a folder" if root.exists() else f"{path} does not exist")
    layout = _recognise(root) if format == "auto" else _requested(root, format)
    dataset = layout.read(root, options or ReadOptions())
    if log is not None:
        log(dataset.summary())
    if strict:
        dataset.require_flawless()
    return dataset


def _is_one(folder: Path) -> bool:
    return any(known.recognises(folder) for known in FORMATS)


def _requested(root: Path, name: str) -> Format:
    """The format of that name, if the folder has what it requires. Raises FormatUnknown."""
    requested = next((known for known in FORMATS if known.name == name), None)
    if requested is None:
        raise FormatUnknown(f"no format is called {name!r}; known: auto, {', '.join(f.name for f in FORMATS)}")
    if not requested.recognises(root):
        raise FormatUnknown(f"{root} is not of the format {name}, which requires {requested.requires}")
    return requested


def _recognise(root: Path) -> Format:
    """The one format whose parts the folder has. Raises FormatUnknown, FormatAmbiguous."""
    recognised = [known for known in FORMATS if known.recognises(root)]
    if not recognised:
        if kind := artefact_at(root):
            raise FormatUnknown(f"{root} is {kind}, and no data set")
        within = [child for child in sorted(root.iterdir()) if child.is_dir() and _is_one(child)]
        if within:
            names = ", ".join(child.name for child in within[:_SHOWN])
            raise FormatUnknown(f"{root} holds data sets, each in a folder of its own: give one, such as {names}")
        layouts = "; ".join(f"{known.name}: {known.requires}" for known in FORMATS)
        raise FormatUnknown(f"{root} holds no known data set. It, or a folder up to two below, should have: {layouts}")
    # A manifest is written to state how a folder is to be read, so it goes before everything else in it.
    if len(recognised) > 1 and recognised[0].name != "manifest":
        names = ", ".join(known.name for known in recognised)
        raise FormatAmbiguous(f"{root} holds more than one layout: {names}. Choose one, or a folder with one alone")
    return recognised[0]
