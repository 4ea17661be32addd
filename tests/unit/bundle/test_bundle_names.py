"""A bundle is found by its name or by its path, and never by chance."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from inkseek import app
from models.bundle import Bundle, BundleNotFound, bundle_path, read_manifest, shipped_bundles

BUNDLES = Path(__file__).parents[3] / "models" / "bundles"


def test_every_shipped_bundle_has_a_name_and_nothing_else_has() -> None:
    directories = [entry.name for entry in BUNDLES.iterdir() if (entry / "manifest.json").is_file()]
    assert sorted(directories) == list(shipped_bundles())
    assert "default" in shipped_bundles()
    for name in shipped_bundles():
        assert bundle_path(name) == BUNDLES / name
        assert read_manifest(name).bundle_id == json.loads((BUNDLES / name / "manifest.json").read_text())["bundle_id"]
    assert bundle_path() == bundle_path(None) == bundle_path("") == BUNDLES / "default"


def test_a_name_loads_the_bundle_that_its_path_loads() -> None:
    assert Bundle.load("small").manifest == Bundle.load(BUNDLES / "small").manifest


def test_what_is_no_name_is_a_path(tiny_bundle_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(tiny_bundle_dir, tmp_path / "small")
    shutil.copytree(tiny_bundle_dir, tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    assert read_manifest("mine").name == "tiny"
    assert read_manifest("./small").name == "tiny"
    assert read_manifest(str(tmp_path / "small")).name == "tiny"
    assert read_manifest(Path("small")).name == "tiny"  # a Path is never a name: what was written is what is read
    assert read_manifest("small").name == "small-encoders"


@pytest.mark.parametrize("text", ["smal", "default/", "../bundles/none", "/nowhere/small", "DEFAULT"])
def test_a_wrong_name_is_reported_with_the_names_there_are(text: str, tmp_path: Path) -> None:
    with pytest.raises(BundleNotFound) as caught:
        Bundle.load(text)
    assert all(name in str(caught.value) for name in shipped_bundles())
    with pytest.raises(BundleNotFound, match=r"manifest\.json is missing"):
        read_manifest(tmp_path)


def test_commands_take_names() -> None:
    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["bundle", *arguments])
        return result.exit_code, " ".join(result.output.split())

    code, said = run("inspect", "small", "--json")
    assert (code, json.loads(said)["name"]) == (0, "small-encoders")
    code, said = run("inspect", "--json")
    assert (code, json.loads(said)["bundle_id"]) == (0, read_manifest().bundle_id)
    code, said = run("verify", "tiny-one")
    assert code == 1
    assert "default, resnet18, small" in said


def test_the_licence_of_every_shipped_bundle_is_stated() -> None:
    page = (BUNDLES / "README.md").read_text(encoding="utf-8")
    for name in shipped_bundles():
        assert f"`{name}`" in page
        card = (BUNDLES / name / "MODEL_CARD.md").read_text(encoding="utf-8")
        assert "## Trained on" in card
        for data in ("ImageNet", "Shoe V1", "Shoe V2", "Sketchy", "Fluent Emoji", "Quick, Draw!", "Tux Paint"):
            assert data in card and data in page
