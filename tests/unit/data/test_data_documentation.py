"""docs/reference/data_layouts.md names every format and every finding, and its manifest is one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from models.data.datasets import FORMATS, FindingKind, open_dataset

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "data_layouts.md").read_text(encoding="utf-8")


def test_every_format_and_finding_has_its_row() -> None:
    rows = [line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    assert rows == [*(known.name for known in FORMATS), *(kind.value for kind in FindingKind)]


def test_the_manifest_in_it_is_read(tmp_path: Path, photo: Callable[[Path], Path], sketch: Callable[..., Path]) -> None:
    lines = [line.strip() for line in PAGE.splitlines() if line.startswith(("    sketch_path,", "    sketches/"))]
    (tmp_path / "manifest.csv").write_text("\n".join(lines) + "\n")
    _, row = lines
    sketch_path, photo_path, *_ = row.split(",")
    sketch(tmp_path / sketch_path)
    photo(tmp_path / photo_path)
    dataset = open_dataset(tmp_path, strict=True)
    assert [record.person for record in dataset.records] == ["anna"]
