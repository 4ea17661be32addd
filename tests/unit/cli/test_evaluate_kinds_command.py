"""`inkseek evaluate-kinds`: the document, the table, ranges of drawings, mirrored drawings, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from typer.testing import CliRunner, Result

from inkseek import app
from models.bundle import Bundle
from models.data.datasets import mirrored, open_dataset, read_photos
from models.evaluation.kinds.measure import evaluate_kinds, kind_task

# An L and its mirror image: which one a drawing finds says which way round it was encoded.
ELL = [(40, 20), (40, 230), (200, 230)]
TURNED = [(215, 20), (215, 230), (55, 230)]


def run(*options: object) -> Result:
    return CliRunner().invoke(app, ["evaluate-kinds", *map(str, options)])


@pytest.fixture
def world(tmp_path: Path, tiny_bundle_dir: Path) -> tuple[object, ...]:
    """Kind 0 to 24, all drawn as the same L; twelve pictures of an L, of which kind 0's alone is upright."""
    doodles, gallery = tmp_path / "doodles", tmp_path / "shapes"
    doodles.mkdir()
    gallery.mkdir()
    line = json.dumps({"drawing": [[[x for x, _ in ELL], [y for _, y in ELL]]]}) + "\n"
    rows = []
    for number in range(25):
        (doodles / f"kind{number:02d}.ndjson").write_text(line * 2)
        if number < 24:
            image = Image.new("RGB", (256, 256), "white")
            ImageDraw.Draw(image).line(ELL if number == 0 else TURNED, fill="black", width=8)
            image.save(gallery / f"{number}.png")
            rows.append(f"{number}.png,shapes,kind{number:02d}")
    (gallery / "manifest.csv").write_text("\n".join(["photo_path,category,name", *rows]) + "\n")
    (doodles / "kinds.csv").write_text(
        "kind,split,accepted_names\n" + "".join(f"kind{n:02d},val,kind{n:02d}\n" for n in range(25))
    )
    return "--data", doodles, "--gallery", gallery / "manifest.csv", "--bundle", tiny_bundle_dir


def test_the_document_has_what_was_measured(world: tuple[object, ...], tiny_bundle_dir: Path) -> None:
    result = run(*world, "--split", "val", "--seed", 3, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    bundle = Bundle.load(tiny_bundle_dir)
    task = kind_task(open_dataset(Path(str(world[1]))), read_photos(Path(str(world[3]))), "val")
    truth = evaluate_kinds(bundle, task, seed=3)
    assert (document["bundle_id"], document["data"], document["gallery"]) == (
        bundle.bundle_id,
        "doodles val",
        "shapes",
    )
    assert (document["drawings"], document["kinds"], document["photos"]) == (48, 24, 24)
    assert document["without_picture"] == ["kind24"]
    assert document["intervals"] == {"level": 0.95, "resamples": 2000, "of": "kinds", "seed": 3}
    for share in truth.shares:
        told = document[f"kind_at_{share.k}"]
        assert share.interval is not None
        assert told["share"] == pytest.approx(share.share, abs=1e-4)
        assert told["chance"] == pytest.approx(share.k / 24, abs=1e-4)
        assert told["interval"]["high"] == pytest.approx(share.interval.high, abs=1e-4)
    assert document["by_kind"]["kind00"] == {"drawings": 2, "right_photos": 1, "kind_at_1": 1.0, "kind_at_10": 1.0}
    assert document["by_kind"]["kind01"]["kind_at_1"] == 0.0
    assert document["not_encoded"] == []


def test_the_table_says_the_same_and_all_lists_every_kind(world: tuple[object, ...]) -> None:
    result = run(*world, "--drawings", "1:")
    assert result.exit_code == 0, result.output
    words = [line.replace("│", " ").split() for line in result.stdout.splitlines()]
    assert ["kind00", "1", "1", "100.0", "100.0"] in words
    assert ["all", "24", f"{100 / 24:.1f}", f"{100 / 24:.1f}"] in words
    assert ["chance", f"{100 / 24:.1f}", f"{1000 / 24:.1f}"] in words
    assert sum(row[:1] != [] and row[0].startswith("kind") and row[0] != "kind" for row in words) == 20
    said = " ".join(result.stdout.split())
    assert "the best and the worst of 24 kinds" in said
    assert "left out: 1 kinds without a picture" in said
    assert run(*world, "--all").stdout.count("kind1") == 10


def test_mirrored_drawings_find_what_faces_the_other_way(world: tuple[object, ...], tiny_bundle_dir: Path) -> None:
    document = json.loads(run(*world, "--mirror-queries", "--json").stdout)
    assert document["data"] == "doodles, sketches mirrored"
    # Twenty-three pictures are alike and tie, so the upright one alone is never first, and last among them.
    assert document["by_kind"]["kind00"]["kind_at_10"] == 0.0
    task = kind_task(mirrored(open_dataset(Path(str(world[1])))), read_photos(Path(str(world[3]))))
    ranks = evaluate_kinds(Bundle.load(tiny_bundle_dir), task).ranks
    assert ranks.tolist() == [24, 24] + [23, 23] * 23


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--drawings", "5"], 2, "no range such as"),
        (["--drawings", "5:5"], 2, "no range such as"),
        (["--drawings", "7:9"], 1, "NothingToEvaluate"),
        (["--split", "test"], 1, "SplitMissing"),
        (["--gallery", "nowhere.csv"], 1, "DatasetNotFound"),
    ],
)
def test_what_is_rejected_is_one_sentence(world: tuple[object, ...], options: list[str], code: int, said: str) -> None:
    result = run(*world, *options)
    assert result.exit_code == code
    assert said in result.stderr
    assert "Traceback" not in result.output
