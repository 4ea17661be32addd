"""`inkseek data inspect`: counts, findings, JSON, the sheet, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from models.cli.data import app
from models.data.datasets import open_dataset
from models.data.images.pair_sheet import choose_records, pair_sheet

Make = Callable[..., Path]
NOTHING = {"sketches": 0, "drawn_photos": 0, "photos": 0, "people": 0, "labelled": 0}


@pytest.fixture
def shoes(tmp_path: Path, photo: Make, sketch: Make) -> Path:
    root = tmp_path / "ShoeV2"
    for split, ids in (("train", ("1", "2", "4")), ("test", ("3",))):
        for name in ids:
            photo(root / f"{split}B" / f"{name}.png")
            sketch(root / f"{split}A" / f"{name}_1.png", ink="alpha")
            sketch(root / f"{split}A" / f"{name}_10.png", ink="white")
    photo(root / "testB" / "distractor.png")
    return root


def test_counts_are_printed(shoes: Path) -> None:
    result = CliRunner().invoke(app, ["inspect", str(shoes)])
    assert result.exit_code == 0, result.output
    assert "ShoeV2 (qmul-folders): 8 sketches of 4 photos" in result.stdout
    words = [line.replace("│", " ").split() for line in result.stdout.splitlines()]
    assert ["train", "shoe", "6", "3", "3", "-"] in words
    assert ["test", "shoe", "2", "1", "2", "-"] in words
    assert "no findings" in result.stdout


def test_findings_are_listed_and_strict_says_so_by_its_exit_code(shoes: Path, sketch: Make) -> None:
    Image.new("L", (64, 64), 255).save(sketch(shoes / "trainA" / "1_[2].png"))
    result = CliRunner().invoke(app, ["inspect", str(shoes)])
    assert result.exit_code == 0
    assert "no_ink (1)" in result.stdout
    assert "MISSING" not in result.stdout
    assert "trainA/1_[2].png: the sketch is empty" in result.stdout
    assert CliRunner().invoke(app, ["inspect", str(shoes), "--strict"]).exit_code == 1
    assert CliRunner().invoke(app, ["inspect", str(shoes), "--strict", "--quick"]).exit_code == 0


def test_json_holds_all_of_it(shoes: Path, sketch: Make) -> None:
    sketch(shoes / "trainA" / "9_1.png")
    result = CliRunner().invoke(app, ["inspect", str(shoes), "--json"])
    document = json.loads(result.stdout)
    assert document["format"] == "qmul-folders"
    assert document["splits"]["test"]["shoe"] == {
        "sketches": 2,
        "drawn_photos": 1,
        "photos": 2,
        "people": 0,
        "labelled": 0,
    }
    assert document["flawless"] is False
    assert [(f["kind"], f["where"]) for f in document["findings"]] == [("missing_photo", "trainA/9_1.png")]


def test_photos_alone_are_counted_too(tmp_path: Path, photo: Make) -> None:
    photo(tmp_path / "1.jpg")
    (tmp_path / "photos.csv").write_text("photo_path,category,photo_id\n1.jpg,lamp,1\n")
    result = CliRunner().invoke(app, ["inspect", str(tmp_path)])
    assert ["-", "lamp", "0", "0", "1", "-"] in [line.replace("│", " ").split() for line in result.stdout.splitlines()]
    document = json.loads(CliRunner().invoke(app, ["inspect", str(tmp_path), "--json"]).stdout)
    assert document["splits"] == {"": {"lamp": NOTHING | {"photos": 1}}}


def test_sketches_without_a_photo_have_a_column_of_their_own(tmp_path: Path, photo: Make, sketch: Make) -> None:
    photo(tmp_path / "photos" / "dog" / "1.jpg")
    for number in range(3):
        sketch(tmp_path / "sketches" / "dog" / f"{number}.png")
    result = CliRunner().invoke(app, ["inspect", str(tmp_path)])
    assert "(category-folders): 3 sketches without a photo" in " ".join(result.stdout.split())
    words = [line.replace("│", " ").split() for line in result.stdout.splitlines()]
    assert ["-", "dog", "0", "0", "1", "-", "3"] in words
    document = json.loads(CliRunner().invoke(app, ["inspect", str(tmp_path), "--json"]).stdout)
    assert document["labelled_sketches"] == 3
    assert document["splits"] == {"": {"dog": NOTHING | {"photos": 1, "labelled": 3}}}


def test_people_of_several_categories_are_counted_once(tmp_path: Path, photo: Make, sketch: Make) -> None:
    rows = ["sketch_path,photo_path,category,photo_id,split,person"]
    for category, person in (("cup", "ann"), ("lamp", "ann"), ("lamp", "bob")):
        photo(tmp_path / f"{category}.png")
        sketch(tmp_path / f"{category}_{person}.png")
        rows.append(f"{category}_{person}.png,{category}.png,{category},1,train,{person}")
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n")
    lines = CliRunner().invoke(app, ["inspect", str(tmp_path)]).stdout.splitlines()
    words = [line.replace("│", " ").split() for line in lines]
    assert ["train", "lamp", "2", "1", "1", "2"] in words
    assert ["train", "2", "categories", "3", "2", "2", "2"] in words


def test_one_split_alone(shoes: Path) -> None:
    document = json.loads(CliRunner().invoke(app, ["inspect", str(shoes), "--split", "test", "--json"]).stdout)
    assert (document["sketches"], document["photos"]) == (2, 2)
    result = CliRunner().invoke(app, ["inspect", str(shoes), "--split", "val"])
    assert result.exit_code == 1
    assert "it has train, test" in result.stderr


def test_rejections_are_one_sentence(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["inspect", str(tmp_path)])
    assert result.exit_code == 1
    assert result.stderr.startswith("FormatUnknown:")
    assert "Traceback" not in result.output
    result = CliRunner().invoke(app, ["inspect", str(tmp_path / "nowhere"), "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"] == "DatasetNotFound"


def test_the_sheet_shows_sketches_beside_photos(shoes: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "sheet.png"
    result = CliRunner().invoke(app, ["inspect", str(shoes), "--quick", "--sheet", str(out), "--pairs", "5"])
    assert result.exit_code == 0, result.output
    assert "sheet of pairs" in result.stdout
    with Image.open(out) as sheet:
        seen = np.asarray(sheet.convert("RGB"))
    first_sketch, first_photo = seen[14 : 14 + 168, 14 : 14 + 168], seen[14 : 14 + 168, 14 + 168 : 14 + 336]
    # The sketch dark on white though its ink was in the alpha channel; the photo in colour.
    assert (first_sketch > 200).mean() > 0.7
    assert (first_sketch < 60).mean() > 0.02
    assert first_photo.std() > 20
    assert np.ptp(first_photo, axis=2).mean() > 20


def test_the_sheet_says_why_a_cell_is_empty(shoes: Path) -> None:
    def red(path: Path, data: bytes) -> int:
        kept = path.read_bytes()
        path.write_bytes(data)
        dataset = open_dataset(shoes)
        seen = np.asarray(pair_sheet(dataset, dataset.records))
        path.write_bytes(kept)
        return int((seen == (190, 30, 30)).all(axis=2).sum())

    whole = shoes / "trainA" / "1_1.png"
    frame = 2 * 4 * 160
    assert red(whole, whole.read_bytes()) == 0
    assert red(whole, b"broken") > frame
    assert red(shoes / "trainB" / "1.png", b"broken") > 2 * frame  # both of its sketches lie beside it


def test_a_sheet_needs_sketches_and_a_picture_s_name(shoes: Path, tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["inspect", str(shoes), "--sheet", str(tmp_path / "sheet.txt")]).exit_code == 2
    for part in ("trainA", "testA"):
        for path in (shoes / part).iterdir():
            path.unlink()
    assert CliRunner().invoke(app, ["inspect", str(shoes), "--sheet", str(tmp_path / "sheet.png")]).exit_code == 2


def test_every_kind_of_pair_comes_before_a_second_of_one(shoes: Path) -> None:
    dataset = open_dataset(shoes)
    assert {record.split for record in choose_records(dataset, 2)} == {"train", "test"}
    assert choose_records(dataset, 4, seed=7) == choose_records(dataset, 4, seed=7)
    assert len({record.sketch.name for record in choose_records(dataset, 100)}) == 8


def test_it_needs_no_torch() -> None:
    code = "import sys, models.cli.data; sys.exit('torch' in sys.modules or 'onnx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
