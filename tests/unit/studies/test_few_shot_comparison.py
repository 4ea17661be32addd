"""The baselines of the comparison: their inner loops from the definition, and the whole of it on made-up embeddings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F
from typer.testing import CliRunner

from inkseek import app
from models.adapters.category import CategoryAdapter
from models.data.datasets import PhotoKey
from models.evaluation.few_shot.closed_form import Whitening
from models.evaluation.few_shot.material import EmbeddedPart
from models.evaluation.few_shot.methods import Method
from models.evaluation.few_shot.protocol import Unit
from models.networks.grid_students import GridStudentConfig, GridStudents
from models.studies.few_shot_comparison.experiment import Learning, ablations, best_of, predicted_margins, table
from models.studies.few_shot_comparison.inner_loops import BaselineModel
from models.studies.few_shot_comparison.learned_method import LearnedAdapter, LearnedMethod
from models.studies.few_shot_comparison.results import ComparisonResults, write
from models.studies.few_shot_comparison.spaces import Fold
from models.studies.few_shot_comparison.variant import ComparisonConfig, InnerRule, Variant
from models.training.engine.config import ConfigInvalid
from models.training.recipes.adaptive.inner_loop import SupportTensors, triplet_loss
from models.training.weights.students_file import StudentsFile

CONFIG = Path("models/configs/adaptation_comparison.toml")
E = 10


def part(seed: int, names: tuple[str, ...]) -> EmbeddedPart:
    random = np.random.default_rng(seed)
    keys = tuple(PhotoKey(name, str(n)) for name in names for n in range(6))
    photos = np.repeat(random.normal(size=(len(names), E)), 6, axis=0) + 0.6 * random.normal(size=(len(keys), E))
    rows = [row for row in range(len(keys)) if row % 6 < 4 for _ in range(3)]
    sketches = photos[rows] + 0.5 * random.normal(size=(len(rows), E)) + 0.3

    def unit(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        scaled: np.ndarray[Any, Any] = values / np.linalg.norm(values, axis=1, keepdims=True)
        return scaled.astype(np.float32)

    return EmbeddedPart("made up", unit(sketches), unit(photos), tuple(keys[r] for r in rows), ("",) * len(rows), keys)


def configured(**changes: Any) -> ComparisonConfig:
    shipped = ComparisonConfig.load(CONFIG)
    base = {**shipped.base, "steps": 3, "episodes": 2}
    return shipped.model_copy(update={"base": base, "draws": 2, "ablation_draws": 2, "ks": (1, 3), **changes})


def fresh(inner: InnerRule, **changes: Any) -> BaselineModel:
    torch.manual_seed(0)
    variant = Variant(name="it", inner=inner, changes={"softness": 0.05, **changes})
    model = BaselineModel(configured().adapt_config(variant), E, inner)
    model.requires_grad_(False)
    return model


def support() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    material = part(1, ("cup", "owl")).material(Unit.CATEGORY)
    task = material.tasks[0]
    return material.sketches[task.sketches[::3]], task.targets[::3], material.photos[task.gallery]


def test_without_a_step_every_competitor_is_the_centred_adapter() -> None:
    sketches, positives, photos = support()
    head = LearnedMethod("it", fresh(InnerRule()), steps=0).fit(sketches, positives, photos)
    expected = CategoryAdapter.centred(photos)
    cosines = head.embed_sketches(sketches) @ head.embed_photos(photos).T
    np.testing.assert_allclose(cosines, expected.embed_sketches(sketches) @ expected.embed_photos(photos).T, atol=1e-4)


def test_the_span_of_photos_and_examples_ranks_as_all_of_the_space_does() -> None:
    sketches, positives, photos = support()
    model = fresh(InnerRule(steps=3), start={"rate": 0.5})
    head = LearnedMethod("it", model).fit(sketches[:2], positives[:2], photos[:5])
    whole = LearnedAdapter(LearnedMethod("it", model).fitted(sketches[:2], positives[:2], photos[:5]), None)
    asked = part(7, ("hat",)).sketches
    short, full = (each.embed_sketches(asked) @ each.embed_photos(photos[:5]).T for each in (head, whole))
    assert head.embed_sketches(asked).shape[1] < whole.embed_sketches(asked).shape[1]
    lengths = np.linalg.norm(full, axis=1, keepdims=True) / np.linalg.norm(short, axis=1, keepdims=True)
    np.testing.assert_allclose(short * lengths, full, atol=1e-4)
    assert (lengths < 1).all()


@pytest.mark.parametrize("sign", [False, True])
def test_the_inner_loop_moves_all_that_it_should_along_the_gradient(sign: bool) -> None:
    sketches, positives, photos = support()
    model = fresh(InnerRule(moves="all", block=4, margin=0.2, sign=sign, steps=2))
    found = LearnedMethod("it", model).fitted(sketches, positives, photos)
    # The same by autograd on leaves.
    asked = F.normalize(torch.from_numpy(sketches) - found.centre, dim=1)
    seen = F.normalize(torch.from_numpy(photos) - found.task.mean, dim=1)
    leaves = {"head": torch.eye(E), "down": model.block_down.clone(), "up": model.block_up.clone()}
    for _ in range(2):
        for leaf in leaves.values():
            leaf.requires_grad_(True)
        drawn, others = (x + torch.relu(x @ leaves["down"]) @ leaves["up"] for x in (asked, seen))
        loss = triplet_loss(leaves["head"], SupportTensors(drawn, others, torch.from_numpy(positives)), 0.2, 0.05)
        slopes = torch.autograd.grad(loss, list(leaves.values()))
        rate = float(model.value("rate"))
        moved = zip(leaves.items(), slopes, strict=True)
        leaves = {name: (leaf - rate * (s.sign() if sign else s)).detach() for (name, leaf), s in moved}
    assert not torch.allclose(leaves["head"], torch.eye(E), atol=1e-4)
    if not sign:  # a sign turns on the last bit where a slope is next to nothing
        for name, leaf in leaves.items():
            torch.testing.assert_close(found.parameters[name], leaf, atol=1e-4, rtol=0)
    else:
        assert all((found.parameters[name] - leaf).abs().mean() < 1e-3 for name, leaf in leaves.items())


def test_the_best_of_a_grid_is_chosen_on_its_tasks() -> None:
    material = part(0, ("cup", "owl", "tie")).material(Unit.CATEGORY)
    worst = fresh(InnerRule(margin=0.2))
    grid: list[Method] = [LearnedMethod("wild", worst, steps=30, rate=1e3), Whitening(1.0)]
    assert best_of(grid, material, 0) == 1


def test_the_whole_comparison_is_written_and_the_same_again(tmp_path: Path) -> None:
    shipped = configured()
    chosen = [each for each in shipped.variants if each.name in ("sign-MAML", "proposed")]
    ablated = [each for each in shipped.ablations if each.name in ("features: all", "size 32")]
    small = [
        each.model_copy(update={"changes": {**each.changes, "head_dim": 4}}) for each in ablated if "size" in each.name
    ]
    config = configured(variants=tuple(chosen), ablations=(ablated[0], *small), ablation_k=3)
    folds = [Fold(part(seed, ("cup", "owl", "tie")), part(10 + seed, ("hat", "key"))) for seed in (0, 1)]
    documents = []
    for attempt in ("first", "again"):
        learning = Learning(config, tmp_path / "learned", lambda line: None)
        told = ComparisonResults(
            (("Bundle", "none"),),
            table(folds, learning, None),
            ablations(folds, learning),
            (),
            predicted_margins(folds, learning),
        )
        write(tmp_path / attempt, config, told)
        documents.append((tmp_path / attempt / "comparison.json").read_text())
    assert documents[0] == documents[1]
    document = json.loads(documents[0])
    arms = document["table"]["made up"]["arms"]
    assert {arm["method"] for arm in arms} >= {"no adaptation", "centred", "whitening", "ridge regression", "sign-MAML"}
    # Two folds, two categories of two photos held out with three sketches each, two draws.
    assert document["table"]["made up"]["queries"] == 2 * 2 * 2 * 3 * 2
    assert set(document["predicted_margins"]) == {"hat", "key"}
    assert all(0 < margin < 1 for margin in document["predicted_margins"].values())
    ablation = {arm["method"]: arm["task"] for arm in document["ablations"]["made up"]["arms"]}
    assert [name for name in ablation if name.startswith("steps")] == [f"steps {n}" for n in range(6)]
    page = (tmp_path / "first" / "comparison.html").read_text()
    assert page.count("<figure>") == 3  # no margins here
    assert "proposed minus sign-MAML, k = 3" in (tmp_path / "first" / "comparison.md").read_text()


def test_every_shipped_variant_is_valid_and_nonsense_is_refused(tmp_path: Path) -> None:
    config = ComparisonConfig.load(CONFIG)
    assert config.shown in {variant.name for variant in config.variants}
    assert all(any(each.name.startswith(plotted.prefix) for each in config.ablations) for plotted in config.plots[:2])
    broken = tmp_path / "broken.toml"
    broken.write_text(CONFIG.read_text().replace("residual_rank", "residuum_rank"))
    with pytest.raises(ConfigInvalid, match="residuum_rank"):
        ComparisonConfig.load(broken)


def write_set(folder: Path, splits: Mapping[str, tuple[str, ...]]) -> None:
    """A set of four drawn photos per category; `splits`: the categories of each."""
    rows = []
    for split, names in splits.items():
        for number, name in enumerate(names):
            for photo in range(4):
                path = f"photos/{name}/{photo}.png"
                for place, file in enumerate((path, f"sketches/{name}/{photo}.png")):
                    image = Image.new("RGB", (32, 32), "white")
                    image.paste((90 * number, 0, 0), (4 + place, 2 + 6 * photo, 20 + 4 * number, 8 + 6 * photo))
                    (folder / file).parent.mkdir(parents=True, exist_ok=True)
                    image.save(folder / file)
                rows.append(f"sketches/{name}/{photo}.png,{path},{name},{photo},{split}")
    header = "sketch_path,photo_path,category,photo_id,split"
    (folder / "manifest.csv").write_text("\n".join([header, *rows]) + "\n")


SMALL = (
    'schema_version = 1\nstudy = "few_shot_comparison"\n'
    'test_split = "val_unseen"\nks = [1]\ndraws = 2\nablation_k = 1\nablation_draws = 1\nshown = "proposed"\n'
    '[about]\n[base]\nfolder = "set"\nsplit = "train"\nsteps = 1\nepisodes = 1\nks = [1]\n'
    '[[variants]]\nname = "proposed"\n[[ablations]]\nname = "margin 0.1"\ninner = { margin = 0.1 }\n'
    '[[plots]]\ntitle = "Margin"\naxis = "fixed"\nprefix = "margin "\n'
    '[[tests]]\nname = "hats"\nfolder = "set"\nsplit = "val_unseen"\ncategory = "hat"\n'
)


def test_the_command_compares_folds_and_measures_the_bundle(tmp_path: Path, tiny_bundle_dir: Path) -> None:
    write_set(tmp_path / "data/set", {"train": ("cup", "owl"), "val_unseen": ("hat",)})
    students = GridStudentConfig(size_px=32, widths=(8, 8), grid=2, channels=4)
    for fold in (0, 1):
        torch.manual_seed(fold)
        state = GridStudents(students).state_dict()
        experiment = {"student": {**asdict(students), "widths": list(students.widths)}}
        StudentsFile(1, state, experiment).save(tmp_path / f"{fold}.pt")
    config = tmp_path / "comparison.toml"
    config.write_text(SMALL)
    options = ["--config", config, "--data", tmp_path / "data", "--bundle", tiny_bundle_dir, "--out", tmp_path / "out"]
    folds = ["--fold", tmp_path / "0.pt", "--fold", tmp_path / "1.pt"]
    done = CliRunner().invoke(app, ["train", "compare", *map(str, (*options, *folds))])
    assert done.exit_code == 0, done.output
    told = json.loads((tmp_path / "out/comparison.json").read_text())
    (table_of_folds,) = told["table"].values()
    assert table_of_folds["queries"] == 2 * 2 * 2  # folds, draws, photos held out
    assert {arm["method"] for arm in told["tests"]["hats"]["arms"]} >= {"no adaptation", "centred", "whitening"}
    alone = CliRunner().invoke(app, ["train", "compare", *map(str, options)])  # without folds: the bundle's tests alone
    assert alone.exit_code == 0, alone.output
    assert "table" not in json.loads((tmp_path / "out/comparison.json").read_text())
    missing = ("--config", config, "--data", tmp_path / "none", *options[4:])
    assert CliRunner().invoke(app, ["train", "compare", *map(str, missing)]).exit_code == 1


def test_the_command_learns_from_one_half_of_the_test_categories_and_tests_on_the_other(
    tmp_path: Path, tiny_bundle_dir: Path
) -> None:
    write_set(tmp_path / "data/set", {"train": ("cup",), "val_unseen": ("hat", "key", "owl", "tie")})
    config, out = tmp_path / "comparison.toml", tmp_path / "out"
    config.write_text(SMALL)
    options = ["--config", str(config), "--data", str(tmp_path / "data"), "--bundle", str(tiny_bundle_dir)]
    result = CliRunner().invoke(app, ["train", "compare", *options, "--out", str(out), "--halves"])
    assert result.exit_code == 0, result.output
    document = json.loads((out / "comparison.json").read_text())
    (compared,) = document["table"].values()
    # Each half is tested once: four categories of two photos held out with a sketch each, two draws.
    assert compared["queries"] == 4 * 2 * 2
    assert set(document["predicted_margins"]) == {"hat", "key", "owl", "tie"}
    # Both halves are learned from: "proposed", and with a fixed margin.
    assert len(list((out / "learned").iterdir())) == 4
    (ablated,) = document["ablations"].values()
    assert ablated["queries"] == 4 * 2
    fold = CliRunner().invoke(
        app, ["train", "compare", *options, "--out", str(out), "--halves", "--fold", "students.pt"]
    )
    assert fold.exit_code == 2 and "in the place of folds" in " ".join(fold.output.split())
