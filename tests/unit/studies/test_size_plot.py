"""acc@1 and convergence over size: the right numbers of the right runs, in a picture that is well-formed."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from models.cli.train import app
from models.networks.grid_students import GridStudentConfig, GridStudents
from models.studies.size_plot import NothingToPlot, size_plot

SVG = "{http://www.w3.org/2000/svg}"


def run_of(root: Path, name: str, widths: list[int], figures: list[dict[str, float]], task: str = "students") -> Path:
    (root / name).mkdir()
    student = {"size_px": 32, "widths": widths, "grid": 2, "channels": 4, "shared_trunk": True}
    (root / name / "config.json").write_text(json.dumps({"task": task, "student": student, "vit_student": None}))
    entries = [{"step": 5, "total": 1.0}, *({"step": 10 * (n + 1), **entry} for n, entry in enumerate(figures))]
    (root / name / "metrics.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return root / name


def titles(svg: str) -> list[list[str]]:
    """What the points of each chart say."""
    return [
        [title.text or "" for title in chart.iter(f"{SVG}title")]
        for chart in ElementTree.fromstring(svg).iter(f"{SVG}g")
    ]


def test_figures_are_those_of_the_published_weights(tmp_path: Path) -> None:
    small = [{"a@1": 30.0, "a/centred@1": 40.0, "score": 40.0}, {"a@1": 35.0, "a/centred@1": 39.0, "score": 39.0}]
    large = [{"a@1": 10.0, "a/centred@1": 20.0, "score": 20.0}, {"a@1": 50.0, "a/centred@1": 60.0, "score": 60.0}]
    paths = [run_of(tmp_path, "small", [8, 8], small), run_of(tmp_path, "large", [64, 128], large)]
    svg = size_plot(paths)
    sizes = [
        f"{sum(p.numel() for p in GridStudents(GridStudentConfig(32, w, 2, 4)).sketch.parameters()) / 1e6:.2g}"
        for w in ((8, 8), (64, 128))
    ]
    figures, converged, curves = titles(svg)
    assert figures == [f"a: 40 at {sizes[0]} M", f"a: 60 at {sizes[1]} M"]
    assert converged == [f"small: 10 at {sizes[0]} M", f"large: 20 at {sizes[1]} M"]
    assert len(curves) == 4
    assert "mean-centred" in svg


@pytest.mark.parametrize(
    ("entry", "shown", "how"), [({}, 31, "plain"), ({"centred": {"acc_at_1": 0.425}}, 42.5, "mean-centred")]
)
def test_a_bundle_stands_beside_runs(
    tmp_path: Path, tiny_bundle_dir: Path, entry: dict[str, object], shown: float, how: str
) -> None:
    manifest = json.loads((tiny_bundle_dir / "manifest.json").read_text())
    manifest["metrics"] = {"splits": {"a": {"acc_at_1": 0.31, **entry}}}
    manifest["provenance"] = {"experiment": {"student": {"widths": [8], "grid": 2, "channels": 4}, "steps": 3}}
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "manifest.json").write_text(json.dumps(manifest))
    run = run_of(tmp_path, "run", [16], [{"a@1": 30.0, "a/centred@1": 40.0, "score": 40.0}])
    svg = size_plot([tmp_path / "bundle", run])
    assert titles(svg)[0][0].startswith(f"a: {shown:g} at")
    assert how in svg
    assert len(titles(svg)[2]) == 1  # a bundle has no curve


def test_where_one_has_plain_figures_alone_all_are_plain(tmp_path: Path) -> None:
    old = run_of(tmp_path, "old", [8], [{"a@1": 30.0, "b@1": 1.0, "score": 30.0}])
    new = run_of(tmp_path, "new", [16], [{"a@1": 35.0, "a/centred@1": 44.0, "score": 44.0}])
    svg = size_plot([old, new])
    assert "plain cosines" in svg
    figures, _, curves = titles(svg)
    assert [title.split(" at")[0] for title in figures] == ["a: 30", "a: 35"]
    assert [title.partition("): ")[2] for title in curves] == ["30 at 10", "35 at 10"]  # b, which new lacks, left out


def test_what_cannot_be_plotted_is_refused(tmp_path: Path, tiny_bundle_dir: Path) -> None:
    good = run_of(tmp_path, "good", [8], [{"a@1": 30.0, "score": 30.0}])
    for path, reason in (
        (tmp_path / "nowhere", "neither a run's directory nor a bundle"),
        (run_of(tmp_path, "teacher", [8], [{"a@1": 3.0, "score": 3.0}], "teacher"), "no retrieval figures"),
        (run_of(tmp_path, "young", [8], []), "no figures"),
        (run_of(tmp_path, "other", [8], [{"b@1": 30.0, "score": 30.0}]), "share no split"),
        (tiny_bundle_dir, "no figures"),
    ):
        with pytest.raises(NothingToPlot, match=reason):
            size_plot([good, path])


def test_the_command_writes_the_picture(tmp_path: Path) -> None:
    run = run_of(tmp_path, "run", [8], [{"a@1": 30.0, "score": 30.0}])
    done = CliRunner().invoke(app, ["plot", str(run), "--out", str(tmp_path / "new" / "sizes.svg")])
    assert done.exit_code == 0, done.output
    assert ElementTree.parse(tmp_path / "new" / "sizes.svg").getroot().tag == f"{SVG}svg"
    assert CliRunner().invoke(app, ["plot", str(run), "--out", "sizes.png"]).exit_code == 2
