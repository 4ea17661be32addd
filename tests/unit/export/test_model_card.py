"""The card that writes itself: sizes, terms and hashes are the run's, figures and intervals those of the bundle."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from inkseek import app
from models.bundle import Bundle, read_manifest
from models.evaluation.intervals import bootstrap
from models.evaluation.splits import ValidationSplit, load_galleries
from models.export.card.model_card import model_card
from models.export.split_figures import encode_splits

CONFIG = """
schema_version = 1
recipe = "contrastive"
seed = 7
pretrained = false
cache_px = 32
student = { size_px = 32, widths = [4, 8], grid = 2, channels = 3 }
batch = { pairs = 4, groups = 2, synthetic_share = 0.0 }
sets = [{ folder = "shapes", pool = "own", drawings = 1 }]
validation = [{ name = "shapes_val", folder = "shapes", split = "val" }]
student_training = { losses.info_nce = 0.5, plan = { steps = 2, rate = 3e-4 } }

[about]
source = "Contrast of shapes."
command = "inkseek train students --config shapes.toml --data DATA --out RUN"
"""


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def rows(card: str) -> dict[str, list[str]]:
    """First cell -> the other cells of every table's rows."""
    lines = (line.strip("|").split("|") for line in card.splitlines() if line.startswith("|"))
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines}


@pytest.fixture
def trained(shapes_dir: Path, tmp_path: Path) -> Path:
    """A run on the shapes, one of whose sketches is broken and left out."""
    (tmp_path / "shapes.toml").write_text(CONFIG)
    (shapes_dir / "TERMS.txt").write_text("drawn by a test, free to use\nand more\n")
    broken = next(
        line.split(",")[0] for line in (shapes_dir / "manifest.csv").read_text().splitlines() if ",train" in line
    )
    (shapes_dir / broken).write_bytes(b"no image")
    words = ("--config", tmp_path / "shapes.toml", "--data", shapes_dir.parent, "--out", tmp_path / "run")
    done = run("train", "students", *words, "--device", "cpu", "--threads", 1, "--skip-flawed")
    assert done.exit_code == 0, done.output
    return tmp_path / "run"


def build(trained: Path, data: Path, *words: object) -> Result:
    where = ("--data", data, "--out", trained.parent / "bundle", "--name", "shapes", "--min-accuracy", 0)
    return run("bundle", "build", "--students", trained / "students.pt", *where, *words)


@pytest.mark.timeout(300)  # the exporter traces for long on a busy machine
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")  # of torch's own exporter
def test_a_card_says_what_the_run_and_the_measurement_left(trained: Path, shapes_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "intro.md").write_text("Encoders of *shapes*.\n")
    built = build(trained, shapes_dir.parent, "--intro", tmp_path / "intro.md")
    assert built.exit_code == 0, built.output
    bundle = Bundle.load(tmp_path / "bundle")
    card = (tmp_path / "bundle/MODEL_CARD.md").read_text()
    assert card.startswith("# shapes\n\nEncoders of *shapes*.\n")
    cells = rows(card)
    sizes = json.loads((trained / "data.json").read_text())[0]
    assert cells["shapes"] == [
        str(sizes["photos"]), str(sizes["sketches"]), str(sizes["photos"]), "1", "drawn by a test, free to use"
    ]  # fmt: skip
    assert cells["seed"] == ["7"]
    assert cells["info_nce"] == ["`info_nce`, weight 0.5"]
    assert cells["rate"] == ["0.0003, of new layers 0.0003"]
    assert "Contrast of shapes." in card
    assert str(tmp_path) not in card  # a card is published
    assert str(tmp_path) not in json.dumps(bundle.manifest.provenance)

    split = ValidationSplit("shapes_val", "shapes", "val")
    measured = encode_splits(bundle, load_galleries(shapes_dir.parent, [split]))["shapes_val"]
    found = (measured.served_ranks() == 1).astype(float)
    keys = [query.photo for gallery in measured.galleries for query in gallery.queries]
    bounds = bootstrap(found[:, None], np.array([sorted(set(keys)).index(key) for key in keys]))
    assert bounds is not None
    first = cells["shapes_val"][2]
    assert first == f"{100 * found.mean():.1f} ({100 * bounds[0].low:.1f} to {100 * bounds[0].high:.1f})"


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_evaluations_of_the_bundle_join_its_card(trained: Path, shapes_dir: Path, tmp_path: Path) -> None:
    assert build(trained, shapes_dir.parent).exit_code == 0
    before = read_manifest(tmp_path / "bundle")
    words = ("--data", shapes_dir, "--split", "val", "--bundle", tmp_path / "bundle", "--json")
    (tmp_path / "e.json").write_text(run("evaluate", *words).stdout)
    written = run("bundle", "card", "--bundle", tmp_path / "bundle", "--evaluation", tmp_path / "e.json")
    assert written.exit_code == 0, written.output
    after = Bundle.load(tmp_path / "bundle")  # every file is what the manifest says
    assert after.bundle_id == before.bundle_id
    served = json.loads((tmp_path / "e.json").read_text())["splits"]["val"]["served"]
    assert rows((tmp_path / "bundle/MODEL_CARD.md").read_text())["val"][2].startswith(
        f"{100 * served['acc_at_1']:.1f} "
    )
    again = run("bundle", "card", "--bundle", tmp_path / "bundle", "--evaluation", tmp_path / "e.json")
    assert again.exit_code == 0
    assert len(read_manifest(tmp_path / "bundle").provenance["evaluations"]) == 1

    digest = hashlib.sha256((tmp_path / "bundle/MODEL_CARD.md").read_bytes()).hexdigest()
    document = json.loads((tmp_path / "e.json").read_text())
    for text, said in (
        (json.dumps({**document, "bundle_id": "another-1"}), "another-1"),
        (json.dumps({"bundle_id": before.bundle_id}), "no document of"),
        ("[1]", "no document of"),
        ("no JSON", "no JSON document"),
    ):
        (tmp_path / "e.json").write_text(text)
        refused = run("bundle", "card", "--bundle", tmp_path / "bundle", "--evaluation", tmp_path / "e.json")
        assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
        assert said in refused.stderr
    assert hashlib.sha256((tmp_path / "bundle/MODEL_CARD.md").read_bytes()).hexdigest() == digest


def test_a_split_that_was_trained_on_is_said_so() -> None:
    manifest = read_manifest("resnet18")
    assert "its figures there say nothing" not in model_card(manifest)
    experiment = {**manifest.provenance["experiment"], "also": ["val", "val_unseen"]}
    card = model_card(manifest.model_copy(update={"provenance": {**manifest.provenance, "experiment": experiment}}))
    assert "The run was trained on shoe_val, chair_val, sketchy_val_unseen: its figures there say nothing" in card


def test_a_variant_keeps_its_parents_card() -> None:
    refused = run("bundle", "card", "--bundle", "small")
    assert refused.exit_code == 1
    assert "is a variant" in refused.stderr
