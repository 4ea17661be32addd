from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from models.cli.data import app
from models.data.builders.doodles import doodle_categories, write_doodle_pairs
from models.data.datasets import open_dataset
from models.data.datasets.unseen import STANDARD_UNSEEN, names_unseen


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A few rows of each set that doodles are made from."""
    data = tmp_path / "data"
    for folder in ("sketchy104", "emoji_open", "tuxphoto", "quickdraw_strokes/strokes"):
        (data / folder).mkdir(parents=True)
    for name in ("sketchy104/s.png", "emoji_open/cup.png", "emoji_open/late.png", "tuxphoto/mug.png"):
        Image.new("RGB", (8, 8), "white").save(data / name)
    header = "sketch_path,photo_path,category,photo_id,split"
    (data / "sketchy104/manifest.csv").write_text(f"{header}\ns.png,s.png,owl,1,val_unseen\n")
    (data / "emoji_open/manifest.csv").write_text(
        f"{header},name\ns.png,cup.png,x,1,train,Red Cup\ns.png,cup.png,x,1,train,Red Cup\n"
        "s.png,late.png,x,2,test,cup\ns.png,cup.png,x,3,train,owl\n"
    )
    (data / "tuxphoto/photos.csv").write_text(
        "photo_path,category,photo_id,quickdraw_category\nmug.png,kitchen,mug,cup\nmug.png,kitchen,other,\n"
    )
    line = json.dumps({"drawing": [[[0, 50, 100], [0, 80, 10]]]})
    for category in ("cup", "owl", "tree", "submarine"):
        (data / f"quickdraw_strokes/strokes/{category}.ndjson").write_text(f"{line}\n{line}\n")
    return data


def test_doodles_meet_pictures_of_their_name_in_the_training_split(sources: Path) -> None:
    out = sources / "doodles"
    assert write_doodle_pairs(sources, out) == 4
    dataset = open_dataset(out, strict=True)
    # Two doodles of a cup, for the emoji and for the photograph; no owl, no tree, nothing that has no picture.
    assert {record.photo.photo_id for record in dataset.records} == {"cup"}
    assert sorted(key.category for key in dataset.photos) == ["a", "b"]
    assert {record.split for record in dataset.records} == {"train"}


def test_a_doodle_is_scaled_to_its_canvas(sources: Path) -> None:
    out = sources / "doodles"
    write_doodle_pairs(sources, out)
    record = open_dataset(out).records[0]
    _, columns = np.nonzero(np.asarray(record.sketch.image().convert("L")) < 128)
    assert (columns.min(), columns.max()) == pytest.approx((20, 235), abs=3)  # 8 % of 256 px are left free


def test_a_category_has_at_most_four_pictures_in_a_fixed_order(sources: Path) -> None:
    names = ["cup", "hot beverage", "teacup without handle", "a blue cup", "cupboard"]
    rows = [f"s.png,{number}.png,x,{number},train,{name}" for number, name in enumerate(names)]
    header = "sketch_path,photo_path,category,photo_id,split,name"
    (sources / "emoji_open/manifest.csv").write_text("\n".join([header, *rows]) + "\n")
    for number in range(len(names)):
        Image.new("RGB", (8, 8), "white").save(sources / f"emoji_open/{number}.png")
    doodles, photographs = open_dataset(sources / "quickdraw_strokes"), open_dataset(sources / "tuxphoto")
    (cup,) = doodle_categories(doodles, photographs, open_dataset(sources / "emoji_open"), {"owl", "tree"})
    assert (cup.name, len(cup.sketches)) == ("cup", 2)
    assert [path.name for path in cup.pictures] == ["mug.png", "0.png", "1.png", "2.png"]


def test_the_command_counts_its_pairs(sources: Path) -> None:
    options = ["doodles", "--data", str(sources), "--out", str(sources / "doodles")]
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("4 pairs written to ")
    assert json.loads(CliRunner().invoke(app, [*options, "--json"]).stdout)["pairs"] == 4


def test_a_missing_set_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["doodles", "--data", str(tmp_path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "quickdraw_strokes does not exist" in " ".join(result.stderr.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "name", ["palm tree", "crossed swords", "Scissors", "dagger", "windmills", "manual wheelchair"]
)
def test_names_of_unseen_categories(name: str) -> None:
    assert names_unseen(name, STANDARD_UNSEEN)


@pytest.mark.parametrize("name", ["street", "doormat", "seesaw", "combat", "pearl", "treetop"])
def test_names_that_only_contain_one(name: str) -> None:
    assert not names_unseen(name, STANDARD_UNSEEN)
