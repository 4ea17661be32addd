"""Quick, Draw! drawings as strokes: `<kind>.ndjson` or `strokes/<kind>.ndjson`, one drawing per line.

No drawing was made from a photo: every sketch is a labelled one. `kinds.csv`, where it is there, divides the kinds by
its columns `kind` and `split`; further columns become attributes of the kind's sketches.
"""

from __future__ import annotations

from pathlib import Path

from models.data.datasets.files.tables import read_table
from models.data.datasets.records.collector import Collector
from models.data.datasets.records.dataset import PairDataset
from models.data.datasets.records.errors import LayoutIncomplete
from models.data.datasets.records.findings import FindingKind
from models.data.datasets.records.json_sketches import LineSketch, lines_in
from models.data.datasets.records.options import ReadOptions
from models.data.datasets.records.record import LabelledSketch

REQUIRES = "<kind>.ndjson or strokes/<kind>.ndjson (in the folder itself), one drawing per line"


def recognises(root: Path) -> bool:
    """Whether there are such files. None is opened."""
    return bool(_files(root))


def read(root: Path, options: ReadOptions) -> PairDataset:
    """Read every kind; no line is parsed. Raises ColumnMissing, LayoutIncomplete."""
    files = _files(root)
    if not files:
        raise LayoutIncomplete(f"{root} has no {REQUIRES}")
    collector = Collector(root, options.keep_marked)
    table = root / "kinds.csv"
    rows = read_table(table, ("kind", "split")) if table.is_file() else []
    # A split by kind, not by drawing: a kind that was trained on is no longer unseen.
    listed = {row["kind"]: row for row in rows}
    for kind in sorted(listed.keys() - {file.stem for file in files}):
        collector.note(FindingKind.MISSING_FILE, f"{kind}.ndjson", "kinds.csv names this kind; it has no file")
    for file in files:
        if listed and file.stem not in listed:
            collector.note(FindingKind.UNLISTED, file, "is not in kinds.csv; its sketches belong to every split")
        row = listed.get(file.stem, {})
        attributes = {name: value for name, value in row.items() if name not in ("kind", "split")}
        for line in lines_in(file):
            sketch = LineSketch(f"{collector.name_of(file)}:{line.number}", line)
            collector.add_labelled(LabelledSketch(sketch, file.stem, row.get("split", ""), attributes=attributes))
    return collector.build(root.name, "quickdraw")


def _files(root: Path) -> list[Path]:
    # The official download has the files in one folder; sets that add a table keep them in `strokes`.
    return sorted((root / "strokes").glob("*.ndjson")) or sorted(root.glob("*.ndjson"))
