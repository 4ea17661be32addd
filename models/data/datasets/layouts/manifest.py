"""A folder with manifest.csv (one pair per row) and, optionally, photos.csv (the gallery, distractors too).

Columns of manifest.csv: sketch_path, photo_path, category, photo_id; optionally `split`, `person` (or `artist`: who
drew it) and `valid` (0: marked as bad). A row without a photo is a labelled sketch. photos.csv: photo_path, category,
photo_id and optionally split. Further columns become attributes. Paths are relative to the folder. `strokes.ndjson`,
where it is there, has the strokes of sketches: per line an object with `sketch_path` and `drawing`.
"""

from __future__ import annotations

from pathlib import Path

from models.bundle import StrokesInvalid
from models.data.datasets.files.tables import read_table
from models.data.datasets.records.collector import Collector
from models.data.datasets.records.dataset import PairDataset
from models.data.datasets.records.errors import LayoutIncomplete
from models.data.datasets.records.findings import FindingKind
from models.data.datasets.records.json_sketches import StrokeLine, TracedSketch, lines_in
from models.data.datasets.records.options import ReadOptions
from models.data.datasets.records.record import LabelledSketch, Photo, PhotoKey
from models.data.datasets.records.sketch_source import ImageSketch, SketchSource

REQUIRES = "manifest.csv or photos.csv (in the folder itself)"
STROKES = "strokes.ndjson"

_PHOTO_COLUMNS = ("photo_path", "category", "photo_id")
_SKETCH_COLUMNS = (*_PHOTO_COLUMNS, "sketch_path")
_READ_COLUMNS = frozenset({*_SKETCH_COLUMNS, "split", "person", "artist", "valid"})


def recognises(root: Path) -> bool:
    """Whether one of the tables is in the folder."""
    return (root / "manifest.csv").is_file() or (root / "photos.csv").is_file()


def read(root: Path, options: ReadOptions) -> PairDataset:
    """Read both tables and the strokes. Raises ColumnMissing, LayoutIncomplete."""
    if not recognises(root):
        raise LayoutIncomplete(f"{root} holds neither manifest.csv nor photos.csv")
    collector = Collector(root, options.keep_marked)
    photo_table, sketch_table = root / "photos.csv", root / "manifest.csv"
    rows = read_table(sketch_table, _SKETCH_COLUMNS) if sketch_table.is_file() else []
    pairs = [row for row in rows if _has_photo(row)]
    listed = photo_table.is_file()
    missing: set[PhotoKey] = set()
    if listed:
        for row in read_table(photo_table, _PHOTO_COLUMNS):
            _add_photo(collector, row, row.get("split", ""), missing)
    for row in pairs:
        known = collector.photos.get(_key(row))
        if listed and known is None and (root / row["photo_path"]).is_file():
            collector.note(FindingKind.UNLISTED, row["photo_path"], "the photo of a sketch is not in photos.csv; added")
        # A photo listed without a split stays undivided, whatever split its sketches have.
        _add_photo(collector, row, known.split if known else row.get("split", ""), missing)
    strokes = _strokes(collector, {row["sketch_path"] for row in rows})
    seen: dict[str, set[PhotoKey]] = {}
    for row in rows:
        _add_sketch(collector, row, seen, strokes.get(row["sketch_path"]))
    return collector.build(root.name, "manifest")


def _add_photo(collector: Collector, row: dict[str, str], split: str, missing: set[PhotoKey]) -> None:
    """`missing`: the photos that a finding says are not there, so that it says it once."""
    path, key = collector.root / row["photo_path"], _key(row)
    if row["photo_path"] and path.is_file():
        collector.add_photo(Photo(key, path, split, _attributes(row)))
    elif key not in missing:
        missing.add(key)
        where = row["photo_path"] or f"{key.category}/{key.photo_id}"
        collector.note(FindingKind.MISSING_FILE, where, "a table names this photo; the file is missing; left out")


def _add_sketch(
    collector: Collector, row: dict[str, str], seen: dict[str, set[PhotoKey]], line: StrokeLine | None
) -> None:
    """`seen`: the photos of each sketch in the rows before."""
    name, photo = row["sketch_path"], _key(row)
    photos = seen.setdefault(name, set())
    if photo in photos:
        collector.note(FindingKind.DUPLICATE_ID, name, "is in the table more than once; the first row is used")
        return
    photos.add(photo)
    path = collector.root / name
    if not name or not path.is_file():
        collector.note(FindingKind.MISSING_FILE, name, "the table names this sketch; the file is missing; left out")
        return
    # Known strokes do not replace the image: figures measured on the files must not change with a new table.
    sketch: SketchSource = TracedSketch(name, path, line) if line else ImageSketch(name, path)
    split, person = row.get("split", ""), row.get("person") or row.get("artist") or ""
    marks = ("invalid",) if row.get("valid", "").strip().lower() in ("0", "false", "no") else ()
    if not _has_photo(row):
        labelled = LabelledSketch(sketch, row["category"], split, person, _attributes(row))
        collector.add_labelled(labelled, marks)
        return
    # A sketch paired by name is right for each of its photos; dropping rows would hide pairs from training.
    if len(photos) > 1 and photo in collector.photos:
        where = f"{photo.category}/{photo.photo_id}"
        collector.note(FindingKind.SHARED_SKETCH, name, f"is a sketch of {where} as well; both pairs are kept")
    collector.add_sketch(sketch, photo, split, person=person, marks=marks, attributes=_attributes(row))


def _strokes(collector: Collector, sketches: set[str]) -> dict[str, StrokeLine]:
    """Sketch -> its line in strokes.ndjson; a line that names no sketch of the table is noted."""
    path = collector.root / STROKES
    lines: dict[str, StrokeLine] = {}
    for line in lines_in(path) if path.is_file() else ():
        where = f"{STROKES}:{line.number}"
        try:
            sketch = line.read().get("sketch_path")
        except StrokesInvalid as error:
            collector.note(FindingKind.UNREADABLE, where, f"{error}; left out")
            continue
        if sketch not in sketches:
            collector.note(FindingKind.UNLISTED, where, f"the strokes of {sketch!r}, which is not in manifest.csv")
        elif lines.setdefault(sketch, line) != line:
            collector.note(FindingKind.DUPLICATE_ID, where, f"{sketch} has strokes already; the first are used")
    return lines


def _has_photo(row: dict[str, str]) -> bool:
    return bool(row["photo_path"] or row["photo_id"])


def _attributes(row: dict[str, str]) -> dict[str, str]:
    return {column: value for column, value in row.items() if value and column not in _READ_COLUMNS}


def _key(row: dict[str, str]) -> PhotoKey:
    return PhotoKey(row["category"], row["photo_id"])
