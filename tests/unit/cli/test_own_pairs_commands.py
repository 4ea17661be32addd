"""What somebody with a folder of pairs and no splits meets: an experiment by name, and advice that works."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from PIL import Image, ImageDraw
from typer.testing import CliRunner

from inkseek import app
from models.cli.options import config_path, shipped_configs


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    rows = ["sketch_path,photo_path,category,photo_id"]
    for number in range(5):
        image = Image.new("RGB", (48, 48), "white")
        ImageDraw.Draw(image).ellipse((4 + number, 6, 40, 44 - number), outline="black", width=2)
        image.save(tmp_path / f"{number}.png")
        rows.append(f"{number}.png,{number}.png,lamp,{number}")
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_a_missing_split_names_the_command_that_makes_one(pairs: Path) -> None:
    evaluate = ["evaluate", "--data", str(pairs), "--split", "val", "--bundle", "small", "--json"]
    missing = CliRunner().invoke(app, evaluate)
    assert missing.exit_code == 1
    assert "`inkseek data split`" in missing.stdout
    made = CliRunner().invoke(app, ["data", "split", str(pairs), "--share", "train=3", "--share", "val=2"])
    assert (made.exit_code, "3 sketches in train, 2 sketches in val" in made.stdout) == (0, True)
    assert CliRunner().invoke(app, evaluate).exit_code == 0


@pytest.mark.parametrize("share", ["train", "train=much", "=1"])
def test_what_is_no_share_is_wrong_usage_or_an_error(pairs: Path, share: str) -> None:
    before = (pairs / "manifest.csv").read_text()
    assert CliRunner().invoke(app, ["data", "split", str(pairs), "--share", share]).exit_code in (1, 2)
    assert (pairs / "manifest.csv").read_text() == before


def test_an_experiment_is_found_by_its_name_or_its_path(tmp_path: Path) -> None:
    assert "own_pairs" in shipped_configs()
    for name in shipped_configs():
        assert config_path(name).is_file()
    (tmp_path / "mine.toml").write_text("")
    assert config_path(str(tmp_path / "mine.toml")) == tmp_path / "mine.toml"
    with pytest.raises(typer.BadParameter, match="own_pairs"):
        config_path("own_pair")
