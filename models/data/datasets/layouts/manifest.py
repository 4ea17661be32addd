"""A folder with manifest.csv (one row a sketch) and, optionally, photos.csv (the gallery, distractors too).

Columns: sketch_path, photo_path, category, photo_id, split; optionally `person` (or `artist`: who drew it) and `valid`
(0: marked as bad). photos.csv: photo_path, category, photo_id and optionally split. Paths are relative to the folder.
"""

from __future__ import annotations

import csv
from pathlib import Path

from models.data.datasets.records.collector import Collector
from models.data.datasets.records.dataset import PairDataset
from models.data.datasets.records.errors import ColumnMissing, LayoutIncomplete
from models.data.datasets.records.findings import FindingKind
from models.data.datasets.records.options import ReadOptions
from models.data.datasets.records.record import Photo, PhotoKey
from models.data.datasets.records.sketch_source import ImageSketch

LOOKED_FOR = "manifest.csv or photos.csv (in the folder itself)"

_PHOTO_COLUMNS = ("photo_path", "category", "photo_id")
_SKETCH_COLUMNS = (*_PHOTO_COLUMNS, "sketch_path", "split")


def recognises(root: Path) -> bool:
    """Whether one of the tables is in the folder."""
    return (root / "manifest.csv").is_file() or (root / "photos.csv").is_file()


def read(root: Path, options: ReadOptions) -> PairDataset:
    """Read both tables. Raises ColumnMissing, LayoutIncomplete."""
    if not recognises(root):
        raise LayoutIncomplete(f"{root} holds neither manifest.csv nor photos.csv")
    collector = Collector(root, options.keep_marked)
    photo_table, sketch_table = root / "photos.csv", root / "manifest.csv"
    rows = _rows(sketch_table, _SKETCH_COLUMNS) if sketch_table.is_file() else []
    listed = photo_table.is_file()
    missing: set[PhotoKey] = set()
    if listed:
        for row in _rows(photo_table, _PHOTO_COLUMNS):
            _add_photo(collector, row, row.get("split", ""), missing)
    for row in rows:
        known = collector.photos.get(_key(row))
        if listed and known is None and (root / row["photo_path"]).is_file():
            collector.note(FindingKind.UNLISTED, row["photo_path"], "the photo of a sketch is not in photos.csv; added")
        _add_photo(collector, row, known.split if known else row["split"], missing)
    seen: dict[str, set[PhotoKey]] = {}
    for row in rows:
        _add_sketch(collector, row, seen)
    return collector.build(root.name, "manifest")


def _add_photo(collector: Collector, row: dict[str, str], split: str, missing: set[PhotoKey]) -> None:
    """`missing`: the photos that a finding says are not there, so that it says it once."""
    path, key = collector.root / row["photo_path"], _key(row)
    if row["photo_path"] and path.is_file():
        collector.add_photo(Photo(key, path, split))
    elif key not in missing:
        missing.add(key)
        where = row["photo_path"] or f"{key.category}/{key.photo_id}"
        collector.note(FindingKind.MISSING_FILE, where, "a table names this photo, it is not there; left out")


def _add_sketch(collector: Collector, row: dict[str, str], seen: dict[str, set[PhotoKey]]) -> None:
    """`seen`: the photos of each sketch in the rows before."""
    name, photo = row["sketch_path"], _key(row)
    photos = seen.setdefault(name, set())
    if photo in photos:
        collector.note(FindingKind.DUPLICATE_ID, name, "is in the table more than once; the first row is used")
        return
    photos.add(photo)
    path = collector.root / name
    if not name or not path.is_file():
        collector.note(FindingKind.MISSING_FILE, name, "the table names this sketch, it is not there; left out")
        return
    if len(photos) > 1 and photo in collector.photos:
        where = f"{photo.category}/{photo.photo_id}"
        collector.note(FindingKind.SHARED_SKETCH, name, f"is a sketch of {where} as well; both pairs are kept")
    collector.add_sketch(
        ImageSketch(name, path),
        photo,
        row["split"],
        person=row.get("person") or row.get("artist") or "",
        marks=("invalid",) if row.get("valid", "").strip().lower() in ("0", "false", "no") else (),
    )


def _rows(table: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    with table.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        header = reader.fieldnames or ()
        if missing := [column for column in columns if column not in header]:
            raise ColumnMissing(f"{table} lacks the column {missing[0]!r}; it has {', '.join(header) or 'no header'}")
        return [{name: value or "" for name, value in row.items() if name is not None} for row in reader]


def _key(row: dict[str, str]) -> PhotoKey:
    return PhotoKey(row["category"], row["photo_id"])
