"""`inkseek evaluate`: tables, JSON, the report, unusable_images and exit codes, and no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageOps
from typer.testing import CliRunner, Result

from inkseek import app
from models.bundle import Bundle
from models.data.datasets import open_dataset
from models.evaluation.dataset_evaluation import evaluate_split
from models.evaluation.encoders import HogPair
from models.evaluation.rankings import Protocol, Scoring

FIGURES = ("acc_at_1", "acc_at_5", "acc_at_10", "mean_average_precision", "mean_rank")


def run(*options: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, options)])


@pytest.mark.parametrize("protocol", Protocol)
def test_json_holds_all_figures(pairs_dir: Path, tiny_bundle_dir: Path, protocol: Protocol) -> None:
    options = ("--data", pairs_dir, "--bundle", tiny_bundle_dir, "--protocol", protocol.value, "--seed", 5, "--json")
    result = run(*options, "--split", "val", "--split", "train")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    bundle = Bundle.load(tiny_bundle_dir)
    truth = evaluate_split(bundle, open_dataset(pairs_dir).split("val"), protocol=protocol, seed=5)
    assert document["bundle_id"] == bundle.bundle_id
    assert (document["data"], document["format"], document["protocol"]) == ("pairs", "manifest", protocol.value)
    assert document["served_scores"] == {Protocol.GALLERY: "plain", Protocol.CATEGORY: "centred"}[protocol]
    assert document["intervals"] == {"level": 0.95, "resamples": 2000, "of": "photos", "seed": 5}
    assert list(document["splits"]) == ["val", "train"]
    val = document["splits"]["val"]
    plain = truth.scored[Scoring.PLAIN]
    blocks = [(val, plain.overall), (val["served"], truth.served.overall)]
    blocks += [(val["categories"][name], measured) for name, measured in plain.categories.items()]
    blocks += [(val["categories"][name]["served"], measured) for name, measured in truth.served.categories.items()]
    for told, measured in blocks:
        assert told["queries"] == measured.figures.queries
        assert told["photos"] == measured.figures.photos
        for name in FIGURES:
            interval = (measured.intervals or {})[name]
            assert told[name] == pytest.approx(getattr(measured.figures, name), abs=1e-4)
            assert told["intervals"][name]["low"] == pytest.approx(interval.low, abs=1e-4)
            assert told["intervals"][name]["high"] == pytest.approx(interval.high, abs=1e-4)
    assert document["splits"]["train"]["intervals"] is None
    assert document["splits"]["train"]["acc_at_1"] == 1.0


def test_the_table_says_the_same(pairs_dir: Path, tiny_bundle_dir: Path) -> None:
    Image.new("L", (64, 64), 255).save(pairs_dir / "sketches/lamp/1_0.png")
    result = run("--data", pairs_dir, "--bundle", tiny_bundle_dir, "--split", "val")
    assert result.exit_code == 0, result.output
    figures = evaluate_split(Bundle.load(tiny_bundle_dir), open_dataset(pairs_dir).split("val")).served.overall.figures
    words = [line.replace("│", " ").split() for line in result.stdout.splitlines()]
    shares = (figures.acc_at_1, figures.acc_at_5, figures.acc_at_10, figures.mean_average_precision)
    numbers = [f"{100 * share:.1f}" for share in shares]
    assert ["all", str(figures.queries), "12", *numbers, f"{figures.mean_rank:.2f}"] in words
    assert [row[0] for row in words if row and row[0] in ("lamp", "<i>mug</i>")] == ["<i>mug</i>", "lamp"]
    assert [row[:3] for row in words if row[:1] == ["95"]] == [["95", "%", "low"], ["95", "%", "high"]]
    assert "sketches/lamp/1_0.png: the sketch is empty" in result.stdout


def test_many_categories_are_cut_to_the_best_and_the_worst(tmp_path: Path, tiny_bundle_dir: Path) -> None:
    rows = []
    for number in range(14):
        image = Image.new("L", (32, 32), 255)
        image.paste(0, (number * 2, number * 2, number * 2 + 4, number * 2 + 4))
        image.save(tmp_path / f"{number}.png")
        rows.append(f"{number}.png,{number}.png,kind{number:02d},1,")
    (tmp_path / "manifest.csv").write_text("sketch_path,photo_path,category,photo_id,split\n" + "\n".join(rows) + "\n")
    short = run("--data", tmp_path, "--bundle", tiny_bundle_dir)
    assert short.exit_code == 0, short.output
    assert short.stdout.count("kind") == 10
    assert "the best and the worst of 14 categories; --all lists them" in " ".join(short.stdout.split())
    assert run("--data", tmp_path, "--bundle", tiny_bundle_dir, "--all").stdout.count("kind") == 14


def test_the_report_is_written_with_its_pictures(pairs_dir: Path, tiny_bundle_dir: Path, tmp_path: Path) -> None:
    out, maps = tmp_path / "new" / "report.html", tmp_path / "maps"
    maps.mkdir()
    Image.new("RGB", (20, 20), "red").save(maps / "student_1.jpg")
    options = ("--data", pairs_dir, "--bundle", tiny_bundle_dir, "--split", "val", "--report", out)
    result = run(*options, "--pictures", maps)
    assert result.exit_code == 0, result.output
    assert str(out) in result.stdout.replace("\n", "")
    page = out.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "student 1" in page
    assert run(*options, "--pictures", tmp_path / "nowhere").exit_code == 1


def test_a_category_s_table_has_both_ways_to_score(pairs_dir: Path, tiny_bundle_dir: Path) -> None:
    options = ("--data", pairs_dir, "--bundle", tiny_bundle_dir, "--split", "val", "--protocol", "category")
    result = run(*options)
    assert result.exit_code == 0, result.output
    truth = evaluate_split(
        Bundle.load(tiny_bundle_dir), open_dataset(pairs_dir).split("val"), protocol=Protocol.CATEGORY
    )
    assert truth.plain is not None
    served, plain = truth.served.overall.figures, truth.plain.overall.figures
    row = next(line for line in result.stdout.replace("│", " ").splitlines() if line.split()[:1] == ["all"])
    assert row.split()[3] == f"{100 * served.acc_at_1:.1f}"
    assert row.split()[-1] == f"{100 * plain.acc_at_1:.1f}"
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


def test_two_bundles_are_compared_on_the_same_queries(pairs_dir: Path, tiny_bundle_dir: Path) -> None:
    options = ("--data", pairs_dir, "--split", "val", "--json", "--against", tiny_bundle_dir)
    result = run(*options, "--baseline", "hog")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    tiny = Bundle.load(tiny_bundle_dir)
    val = open_dataset(pairs_dir).split("val")
    assert (document["bundle_id"], document["against"]) == ("hog", tiny.bundle_id)
    told = document["splits"]["val"]["against"]
    hog_ranks = evaluate_split(HogPair(), val).served.rankings.ranks
    own_ranks = evaluate_split(tiny, val).served.rankings.ranks
    difference = ((hog_ranks == 1).astype(float) - (own_ranks == 1)).mean()
    assert told["differences"]["acc_at_1"]["value"] == pytest.approx(difference, abs=1e-4)
    assert sum(told["ranked_first"].values()) == len(val.records)
    assert told["ranked_first"]["only_other"] == ((hog_ranks > 1) & (own_ranks == 1)).sum()
    itself = json.loads(run(*options, "--bundle", tiny_bundle_dir).stdout)["splits"]["val"]["against"]
    assert all(d == {"value": 0.0, "interval": {"low": 0.0, "high": 0.0}} for d in itself["differences"].values())
    table = run("--data", pairs_dir, "--split", "val", "--against", tiny_bundle_dir, "--bundle", tiny_bundle_dir)
    assert f"by both {told['ranked_first']['both'] + told['ranked_first']['only_other']}" in table.stdout


def test_mirrored_queries_are_measured_against_the_same_photos(pairs_dir: Path, tiny_bundle_dir: Path) -> None:
    options = ("--data", pairs_dir, "--split", "val", "--bundle", tiny_bundle_dir, "--protocol", "category", "--json")
    document = json.loads(run(*options, "--mirror-queries").stdout)
    assert document["data"] == "pairs, sketches mirrored"
    for path in (pairs_dir / "sketches").rglob("*.png"):
        with Image.open(path) as image:
            turned = ImageOps.mirror(image)
        turned.save(path)
    by_hand = json.loads(run(*options).stdout)
    assert document["splits"] == by_hand["splits"]
    assert "excludes" in run(*options, "--mirror-queries", "--adapt", "1").stderr


def test_both_ways_round_it_does_not_matter_how_a_sketch_was_drawn(pairs_dir: Path, tiny_bundle_dir: Path) -> None:
    options = ("--data", pairs_dir, "--split", "val", "--bundle", tiny_bundle_dir, "--protocol", "category", "--mirror")
    upright = json.loads(run(*options, "--json").stdout)
    turned = json.loads(run(*options, "--mirror-queries", "--json").stdout)
    assert upright["mirror"] is True
    assert turned["splits"] == upright["splits"]
    assert "searched both ways round" in " ".join(run(*options).stdout.split())


def test_the_gallery_s_table_and_document_give_the_category_first(pairs_dir: Path, tiny_bundle_dir: Path) -> None:
    options = ("--data", pairs_dir, "--split", "val", "--bundle", tiny_bundle_dir)
    first = evaluate_split(Bundle.load(tiny_bundle_dir), open_dataset(pairs_dir).split("val")).category_first
    assert first is not None
    assert first.interval is not None
    told = json.loads(run(*options, "--json").stdout)["splits"]["val"]["category_at_1"]
    assert told["value"] == pytest.approx(first.value, abs=1e-4)
    assert told["interval"]["low"] == pytest.approx(first.interval.low, abs=1e-4)
    said = " ".join(run(*options).stdout.split())
    assert f"first photo of the sketch's category: {100 * first.value:.1f} ({100 * first.interval.low:.1f} to" in said


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ([], 1, "say which with --split"),
        (["--split", "test"], 1, "it has train, val"),
        (["--split", "val", "--bundle", "nowhere"], 1, "BundleNotFound"),
        (["--format", "coco"], 1, "no format is called 'coco'"),
        (["--split", "val", "--report", "report.pdf"], 2, "should end in .html"),
        (["--split", "val", "--pictures", "."], 2, "--report"),
        (["--split", "val", "--bundle", ".", "--baseline", "hog"], 2, "--baseline"),
        (["--split", "val", "--against", "nowhere"], 1, "BundleNotFound"),
        (["--split", "val", "--protocol", "train"], 2, "--protocol"),
    ],
)
def test_refusals_are_one_sentence(
    pairs_dir: Path, tiny_bundle_dir: Path, options: list[str], code: int, said: str
) -> None:
    bundle = [] if "--bundle" in options else ["--bundle", str(tiny_bundle_dir)]
    result = run("--data", pairs_dir, *bundle, *options)
    assert result.exit_code == code
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_data_without_sketches_or_without_anything_is_refused(pairs_dir: Path, tmp_path: Path) -> None:
    (pairs_dir / "manifest.csv").unlink()
    result = run("--data", pairs_dir, "--split", "val", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"] == "NothingToEvaluate"
    result = run("--data", tmp_path / "nothing")
    assert result.exit_code == 1
    assert result.stderr.startswith("DatasetNotFound:")


def test_it_needs_no_torch() -> None:
    code = "import sys, models.cli.evaluate; sys.exit('torch' in sys.modules or 'onnx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
