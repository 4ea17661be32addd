"""Sketch-photo pairs from a data set folder with `manifest.csv` (one row a sketch) and, optionally, `photos.csv`.

PairsError
├── ManifestMissing     no manifest.csv in the folder
├── ColumnMissing       a table lacks a column that is needed
├── FileMissing         a row names an image that is not there
├── SplitMissing        no row has the split that was asked for
└── PairsContradictory  two photos claim one identity, or a sketch's photo is not in the gallery
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from models.errors import InkseekError


class PairsError(InkseekError):
    """The folder is no usable set of sketch-photo pairs."""


class ManifestMissing(PairsError):
    """There is no manifest.csv."""


class ColumnMissing(PairsError):
    """A table lacks a column that is needed."""


class FileMissing(PairsError):
    """A row names an image that is not there."""


class SplitMissing(PairsError):
    """No row has the split that was asked for."""


class PairsContradictory(PairsError):
    """Two photos claim one identity, or a sketch's photo is not in the gallery."""


@dataclass(frozen=True, order=True)
class PhotoKey:
    """A photo's identity within a set: ids alone repeat between categories."""

    category: str
    photo_id: str


@dataclass(frozen=True)
class Photo:
    """A gallery photo. `split` is empty where the set does not divide its photos."""

    key: PhotoKey
    path: Path
    split: str = ""


@dataclass(frozen=True)
class Pair:
    """A sketch and the photo that it was drawn from."""

    sketch_path: Path
    photo: PhotoKey
    split: str


@dataclass(frozen=True)
class PairSet:
    """A data set: `pairs` in the manifest's order, `photos` by key, those without sketches too."""

    name: str
    pairs: tuple[Pair, ...]
    photos: dict[PhotoKey, Photo]

    @classmethod
    def load(cls, root: Path) -> PairSet:
        """Read the folder and check that every image is there.

        Raises ManifestMissing, ColumnMissing, FileMissing, PairsContradictory.
        """
        rows = _rows(root / "manifest.csv", ("sketch_path", "photo_path", "category", "photo_id", "split"))
        photos: dict[PhotoKey, Photo] = {}
        if (root / "photos.csv").is_file():
            for row in _rows(root / "photos.csv", ("photo_path", "category", "photo_id")):
                _add(photos, Photo(_key(row), root / row["photo_path"], row.get("split") or ""))
            if stray := [row for row in rows if _key(row) not in photos]:
                raise PairsContradictory(f"{root}: the photo of {stray[0]['sketch_path']} is not listed in photos.csv")
        for row in rows:
            known = photos.get(_key(row))
            _add(photos, Photo(_key(row), root / row["photo_path"], known.split if known else row["split"]))
        pairs = tuple(Pair(root / row["sketch_path"], _key(row), row["split"]) for row in rows)
        _require_files([pair.sketch_path for pair in pairs] + [photo.path for photo in photos.values()])
        return cls(root.name, pairs, photos)

    def split(self, name: str) -> tuple[Pair, ...]:
        """The pairs of one split. Raises SplitMissing."""
        chosen = tuple(pair for pair in self.pairs if pair.split == name)
        if not chosen:
            there = ", ".join(sorted({pair.split for pair in self.pairs}))
            raise SplitMissing(f"{self.name} has no split {name!r}; it has {there}")
        return chosen


def load_photos(root: Path) -> tuple[Photo, ...]:
    """The photos of a folder that has a `photos.csv` and no sketches.

    Raises ManifestMissing, ColumnMissing, FileMissing, PairsContradictory.
    """
    rows = _rows(root / "photos.csv", ("photo_path", "category", "photo_id"))
    photos: dict[PhotoKey, Photo] = {}
    for row in rows:
        _add(photos, Photo(_key(row), root / row["photo_path"], row.get("split") or ""))
    _require_files([photo.path for photo in photos.values()])
    return tuple(photos.values())


def _rows(table: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    if not table.is_file():
        raise ManifestMissing(f"{table} is not there")
    with table.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        header = reader.fieldnames or ()
        if missing := [column for column in columns if column not in header]:
            raise ColumnMissing(f"{table} lacks the column {missing[0]!r}; it has {', '.join(header) or 'no header'}")
        return [{name: value or "" for name, value in row.items() if name is not None} for row in reader]


def _key(row: dict[str, str]) -> PhotoKey:
    return PhotoKey(row["category"], row["photo_id"])


def _add(photos: dict[PhotoKey, Photo], photo: Photo) -> None:
    known = photos.setdefault(photo.key, photo)
    if known.path != photo.path:
        raise PairsContradictory(
            f"photo {photo.key.photo_id!r} of {photo.key.category!r} is both {known.path.name} and {photo.path.name}"
        )


def _require_files(paths: Iterable[Path]) -> None:
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise FileMissing(f"{len(missing)} images are not there, the first is {missing[0]}")
