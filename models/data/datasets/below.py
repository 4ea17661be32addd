"""Whether a folder holds the data sets that an experiment names, and what it is where it does not."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from models.data.datasets.records.errors import DatasetNotFound

_SHOWN = 12


def require_below(data: Path, folders: Iterable[str]) -> None:
    """Raises DatasetNotFound, with what to give instead, unless `data` is a folder that has each of `folders`."""
    if not data.is_dir():
        raise DatasetNotFound(f"{data} {'is a file, not a folder' if data.exists() else 'does not exist'}")
    missing = [folder for folder in dict.fromkeys(folders) if not (data / folder).exists()]
    if not missing:
        return
    named = ", ".join(missing)
    if kind := artefact_at(data):
        raise DatasetNotFound(f"{data} is {kind}; the folder is expected in which the data sets lie: {named}")
    if data.name in missing and (data.parent / missing[0]).exists():
        raise DatasetNotFound(f"{data} is a data set itself; give the folder that it lies in: {data.parent}")
    there = sorted(child.name for child in data.iterdir() if child.is_dir())
    shown = ", ".join(there[:_SHOWN]) + (" and others" if len(there) > _SHOWN else "")
    raise DatasetNotFound(f"{data} has no {named}, which is requested; folders in it: {shown or 'none'}")


def artefact_at(folder: Path) -> str:
    """What of this product lies there that is no data set, in words; empty where nothing does."""
    if (folder / "pack.json").is_file():
        return "a pack of training images, which `train students` takes for the recipe parts alone"
    if (folder / "config.json").is_file() and (folder / "environment.json").is_file():
        return "the directory of a training run"
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return "a bundle" if isinstance(manifest, dict) and "bundle_id" in manifest else ""
