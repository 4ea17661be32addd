"""`inkseek evaluate --adapt` on a bundle with an adaptation; people come from FS-COCO's folders as well."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from typer.testing import CliRunner, Result

from inkseek import app
from models.adapters.state import Adaptation
from models.bundle import Bundle, add_adaptation
from models.data.datasets import open_dataset
from models.data.sampling.episodes import episodes
from models.evaluation.few_shot.bundle_methods import ADAPTED, GATED, ZERO_SHOT, bundle_methods
from models.evaluation.few_shot.material import embedded_part
from models.evaluation.few_shot.protocol import Unit, run
from models.ranking import ranks_of


def evaluate(*options: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, options)])


def drawing(path: Path, number: int, wobble: int, grey: bool = False) -> None:
    corners = np.random.default_rng(number).integers(6, 58, (5, 2))
    moved = corners + np.random.default_rng(wobble).integers(-wobble, wobble + 1, (5, 2))
    image = Image.new("RGB", (64, 64), (250, 250, 250) if grey else (255, 255, 255))
    ImageDraw.Draw(image).polygon([(int(x), int(y)) for x, y in moved], outline="black", width=4)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


@pytest.fixture
def fscoco(tmp_path: Path) -> Path:
    root = tmp_path / "fscoco"
    for user in range(1, 11):
        for scene in range(1, 6):
            name = f"{user:06d}{scene:06d}"
            drawing(root / "images" / str(user) / f"{name}.png", 10 * user + scene, 0, grey=True)
            drawing(root / "raster_sketches" / str(user) / f"{name}.png", 10 * user + scene, 3 * scene)
    return root


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    rows, photos = [], []
    for category, first in (("lamp", 100), ("mug", 200)):
        for number in range(first, first + 6):
            photo = f"photos/{category}/{number}.png"
            drawing(tmp_path / "pairs" / photo, number, 0, grey=True)
            photos.append(f"{photo},{category},{number}")
            for wobble in (4, 9, 14) if number < first + 4 else ():
                name = f"sketches/{category}/{number}_{wobble}.png"
                drawing(tmp_path / "pairs" / name, number, wobble)
                rows.append(f"{name},{photo},{category},{number},val")
    Image.new("L", (64, 64), 255).save(tmp_path / "pairs" / "sketches/mug/200_4.png")
    (tmp_path / "pairs/manifest.csv").write_text("\n".join(["sketch_path,photo_path,category,photo_id,split", *rows]))
    (tmp_path / "pairs/photos.csv").write_text("\n".join(["photo_path,category,photo_id", *photos]))
    return tmp_path / "pairs"


@pytest.fixture
def adapted(tmp_path: Path, tiny_bundle_dir: Path) -> Path:
    path = tmp_path / "adapted"
    shutil.copytree(tiny_bundle_dir, path)
    bundle = Bundle.load(path)
    add_adaptation(path, Adaptation.untrained(bundle.embedding_dim))
    return path


def test_categories_with_a_report(pairs: Path, adapted: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    options = ("--data", pairs, "--bundle", adapted, "--adapt", "5,1", "--draws", 4, "--report", report)
    result = evaluate(*options, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    bundle = Bundle.load(adapted)
    assert bundle.adaptation is not None
    assert told["adaptation_id"] == bundle.adaptation.adaptation_id
    split = told["splits"]["pairs val"]
    assert (split["unit"], split["tasks"], split["draws"]) == ("category", 2, 4)
    assert {(arm["method"], arm["k"]) for arm in split["arms"]} == {
        (name, k) for name in ("no adaptation", "centred", ZERO_SHOT, ADAPTED, GATED) for k in (1, 5)
    }
    assert "What do a few examples help?" in report.read_text()
    table = evaluate(*options)
    assert "2 categories, 4 draws per category" in " ".join(table.stdout.split())
    # The empty drawing is in no episode.
    part = embedded_part(bundle, open_dataset(pairs).split("val"), "val")
    assert part.left_out == ("sketches/mug/200_4.png",)
    assert len(part.sketches) == len(part.drawn) == 23


def test_adapted_is_the_fit_and_gated_falls_back(pairs: Path, adapted: Path) -> None:
    bundle = Bundle.load(adapted)
    assert bundle.adaptation is not None
    material = embedded_part(bundle, open_dataset(pairs).split("val"), "val").material(Unit.CATEGORY)
    trial = run(material, bundle_methods(bundle, Unit.CATEGORY), [5], draws=4)
    centred = trial.ranks["centred", 5][:, 0].tolist()
    adapted_ranks: list[int] = []
    gated_ranks: list[int] = []
    for one in episodes(material.tasks, 5, draws=4):
        photos = material.photos[one.task.gallery]
        found = bundle.adaptation.fit_category(material.sketches[one.support], one.support_targets, photos)
        asked = material.sketches[one.holdout]
        scores = found.adapter.embed_sketches(asked) @ found.adapter.embed_photos(photos).T
        ranks = ranks_of(scores, one.holdout_targets)
        adapted_ranks += ranks.tolist()
        gated_ranks += ranks.tolist() if found.passes_gate else centred[len(gated_ranks) : len(adapted_ranks)]
    assert trial.ranks[ADAPTED, 5][:, 0].tolist() == adapted_ranks
    assert trial.ranks[GATED, 5][:, 0].tolist() == gated_ranks


def test_people_of_fscoco(fscoco: Path, adapted: Path) -> None:
    options = ("--data", fscoco, "--split", "test", "--bundle", adapted, "--by", "person", "--draws", 2, "--json")
    result = evaluate(*options, "--adapt", "1,3")
    assert result.exit_code == 0, result.output
    split = json.loads(result.stdout)["splits"]["fscoco test"]
    # 3 of 10 people are `test`; of the 5 scenes of each, 2 are held out.
    assert (split["unit"], split["tasks"], split["queries"]) == ("person", 3, 3 * 2 * 2)
    assert {arm["method"] for arm in split["arms"]} == {"no adaptation", ADAPTED, GATED}
    dataset = open_dataset(fscoco).split("test")
    material = embedded_part(Bundle.load(adapted), dataset, "test").material(Unit.PERSON)
    for one in episodes(material.tasks, 3, draws=5):
        people = {dataset.records[row].person for row in (*one.support, *one.holdout)}
        assert people == {one.task.name}
        assert len(one.task.gallery) == 15
        assert not {dataset.records[r].photo for r in one.support} & {dataset.records[r].photo for r in one.holdout}


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--adapt", "1,x"), 1, "ExamplesUnclear"),
        (("--adapt", "0"), 1, "ExamplesUnclear"),
        (("--adapt", "1", "--by", "person"), 1, "NothingToEvaluate"),
        (("--adapt", "1", "--baseline", "hog"), 2, "--adapt"),
    ],
)
def test_refusals(pairs: Path, tiny_bundle_dir: Path, options: tuple[str, ...], code: int, said: str) -> None:
    bundle = () if "--baseline" in options else ("--bundle", tiny_bundle_dir)
    result = evaluate("--data", pairs, *bundle, *options)
    assert (result.exit_code, said in result.output) == (code, True), result.output
