"""`inkseek bundle`: what each command prints, and exit code 3 where a gate is not passed."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from inkseek import app
from models.bundle import Bundle, read_manifest
from models.networks.grid_students import GridStudentConfig, GridStudents
from models.training.weights.students_file import StudentsFile

CONFIG = GridStudentConfig(size_px=32, widths=(8, 16), grid=2, channels=4)


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["bundle", *map(str, words)])


@pytest.fixture
def release(shapes_dir: Path, tmp_path: Path) -> list[object]:
    """The options of `bundle build` for untrained students that validate on the shapes."""
    torch.manual_seed(0)
    experiment = {
        "student": asdict(CONFIG),
        "sets": [{"folder": "shapes", "pool": "shapes"}],
        "validation": [{"name": "val", "folder": "shapes", "split": "val", "category": None}],
    }
    StudentsFile(3, GridStudents(CONFIG).state_dict(), experiment).save(tmp_path / "students.pt")
    (tmp_path / "card.md").write_text("# Shapes\n\n{figures}\n")
    files = ["--students", tmp_path / "students.pt", "--card", tmp_path / "card.md"]
    return [*files, "--data", shapes_dir.parent, "--out", tmp_path / "bundle", "--name", "shapes"]


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")  # of torch's own exporter
def test_build_and_quantize_end_as_their_gates_say(release: list[object], shapes_dir: Path, tmp_path: Path) -> None:
    refused = run("build", *release, "--min-accuracy", 100, "--json")
    document = json.loads(refused.stdout)
    assert (refused.exit_code, document["error"], document["required"]) == (3, "AccuracyTooLow", 1.0)
    assert not (tmp_path / "bundle").exists()
    built = run("build", *release, "--min-accuracy", 0, "--json")
    assert built.exit_code == 0, built.output
    bundle = Bundle.load(tmp_path / "bundle")
    assert json.loads(built.stdout)["bundle_id"] == bundle.bundle_id
    assert "| val | 4 |" in (tmp_path / "bundle/MODEL_CARD.md").read_text()
    assert json.loads(built.stdout)["metrics"]["splits"]["val"]["queries"] == 4

    words = ["--bundle", tmp_path / "bundle", "--data", shapes_dir.parent, "--out", tmp_path / "half", "--pairs", 4]
    done = run("quantize", *words, "--precision", "float16", "--max-loss", 100)
    assert done.exit_code == 0, done.output
    assert f"{read_manifest(tmp_path / 'half').bundle_id} written to" in done.stdout.replace("\n", "")
    again = run("quantize", *words[:-4], "--out", tmp_path / "none", "--bundle", tmp_path / "half")
    assert (again.exit_code, "is a variant of" in again.stderr) == (1, True)
    assert run("quantize", *words, "--precision", "int4").exit_code == 2


def test_build_says_what_it_cannot_use(release: list[object], tmp_path: Path) -> None:
    (tmp_path / "students.pt").write_bytes(b"no weights")
    broken = run("build", *release)
    assert (broken.exit_code, broken.stderr.split(":")[0]) == (1, "CheckpointInvalid")
    (tmp_path / "card.md").unlink()
    assert run("build", *release).exit_code == 1
    assert run("build", *release[:-2], "--min-accuracy", 101).exit_code == 2


def test_inspect_and_verify_say_the_same_to_people_and_machines(tiny_bundle_dir: Path, tmp_path: Path) -> None:
    bundle = Bundle.load(tiny_bundle_dir)
    told = json.loads(run("inspect", tiny_bundle_dir, "--json").stdout)
    assert (told["name"], told["embedding_dim"]) == ("tiny", 192)
    table = run("inspect", tiny_bundle_dir).stdout
    assert bundle.bundle_id in table
    assert "embeddings of 192 numbers" in table
    assert json.loads(run("verify", tiny_bundle_dir, "--json").stdout) == {"bundle_id": bundle.bundle_id, "ok": True}
    files = len(bundle.manifest.files)
    assert f"{bundle.bundle_id}: {files} files intact" in run("verify", tiny_bundle_dir).stdout
    missing = run("verify", tmp_path / "none", "--json")
    assert missing.exit_code == 1
    assert json.loads(missing.stdout)["error"] == "BundleNotFound"


def test_the_help_names_every_command() -> None:
    page = CliRunner().invoke(app, ["bundle", "--help"]).stdout
    for name in ("inspect", "verify", "build", "quantize", "add-adaptation", "compare"):
        assert name in page
