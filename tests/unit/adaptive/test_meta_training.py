"""Meta-training on made-up embeddings: the model is what is served, learns, and goes on after a kill."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.adapters import Adaptation
from models.data.datasets import PhotoKey
from models.data.sampling.episodes import episode
from models.evaluation.few_shot.material import EmbeddedPart
from models.evaluation.few_shot.protocol import Unit
from models.training.engine.config import ConfigInvalid
from models.training.engine.run_directory import RunDirectory
from models.training.recipes.adaptive.config import AdaptConfig
from models.training.recipes.adaptive.meta_model import MetaModel, TaskTensors
from models.training.recipes.adaptive.meta_train import MetaTasks, meta_train, outer_loss
from models.training.recipes.adaptive.style import choose_style
from models.training.recipes.adaptive.train_adapt import AdaptRun, train_adapt

E = 24


def made_up(categories: int = 4, photos: int = 7, people: bool = False) -> EmbeddedPart:
    """Five drawn photos a category, three sketches each, around a centre of sketches that lies apart."""
    chance = np.random.default_rng(0)
    seen, drawn, sketches, keys, who = [], [], [], [], []
    for number in range(categories):
        kind, apart = chance.normal(size=(2, E))
        for photo in range(photos):
            key = PhotoKey(f"cat{number}", str(photo))
            seen.append(2 * kind + chance.normal(size=E))
            keys.append(key)
            for drawing in range(3 if photo < 5 else 0):
                own = 0.5 * (seen[-1] - 2 * kind) + 1.5 * kind + apart + 0.6 * chance.normal(size=E)
                sketches.append(own)
                drawn.append(key)
                who.append(f"person{drawing}" if people else "")
    rows = [np.array(x) / np.linalg.norm(x, axis=1, keepdims=True) for x in (sketches, seen)]
    return EmbeddedPart(
        "made up", rows[0].astype(np.float32), rows[1].astype(np.float32), tuple(drawn), tuple(who), tuple(keys)
    )


@pytest.fixture
def shapes_dir(tmp_path: Path) -> Path:
    """Two categories of five photos: a bar each, somewhere else; three photos drawn twice (train), one more (val)."""
    root = tmp_path / "data" / "shapes"
    rows = {"manifest.csv": ["sketch_path,photo_path,category,photo_id,split"], "photos.csv": []}
    rows["photos.csv"].append("photo_path,category,photo_id")
    for category, colour in (("red", (200, 0, 0)), ("blue", (0, 0, 200))):
        for photo in range(5):
            paths = [f"photos/{category}/{photo}.png", *(f"sketches/{category}/{photo}/{n}.png" for n in range(2))]
            rows["photos.csv"].append(f"{paths[0]},{category},{photo}")
            for number, path in enumerate(paths if photo < 4 else paths[:1]):
                image = Image.new("RGB", (32, 32), "white")
                image.paste((0, 0, 0) if number else colour, (4 + number, 2 + 5 * photo, 28, 6 + 5 * photo))
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                image.save(root / path)
                if number:
                    rows["manifest.csv"].append(
                        f"{path},{paths[0]},{category},{photo},{'val' if photo == 3 else 'train'}"
                    )
    for name, lines in rows.items():
        (root / name).write_text("\n".join(lines) + "\n")
    return root


def config(**changes: object) -> AdaptConfig:
    values = {"about": {}, "steps": 12, "episodes": 2, "ks": (1, 4), "checkpoint_every": 4, "negatives": 3, **changes}
    return AdaptConfig.model_validate(values)


VARIANTS: tuple[dict[str, object], ...] = (
    {},
    {"method": "bayes"},
    {"head_dim": 9, "first_order": True},
    {"features": {"residual_rank": 3, "triplet": 0.1}},
)


@pytest.mark.parametrize("changes", VARIANTS)
def test_what_is_trained_is_what_is_served(changes: dict[str, object]) -> None:
    part, torch_config = made_up(), config(**changes)
    torch.manual_seed(1)
    model = MetaModel(torch_config, E)
    torch.nn.init.normal_(model.margin.last.weight)
    if model.down is not None:
        torch.nn.init.normal_(model.up, std=0.3)
    task = part.material(Unit.CATEGORY).tasks[1]
    served = Adaptation.from_bytes(model.adaptation("test", E).to_bytes())
    for k in (1, 5):
        drawn = episode(task, k, 0)
        photos, sketches = part.photos[task.gallery], part.sketches
        fitted = served.fit_category(sketches[drawn.support], drawn.support_targets, photos)
        scores = fitted.adapter.embed_sketches(sketches[drawn.holdout]) @ fitted.adapter.embed_photos(photos).T
        prepared = served.prepare(photos)
        low_rank = prepared.scores(
            sketches[drawn.holdout], prepared.fit(sketches[drawn.support], drawn.support_targets)
        )
        np.testing.assert_allclose(low_rank, scores, atol=2e-5)
        for reduced in (False, True) if model.rotation_invariant else (False,):
            tensors = TaskTensors.of(part, task, 0, reduced=reduced)
            head = model.fit(tensors, drawn)
            expected = head.scores(tensors.rows(drawn.holdout)).detach().numpy()
            np.testing.assert_allclose(scores, expected, atol=2e-5)
            if head.margin is not None:
                assert fitted.margin == pytest.approx(head.margin.item(), abs=1e-5)


@pytest.mark.parametrize("changes", [{}, {"features": {"residual_rank": 3}, "outer_loss": "triplet"}])
def test_a_killed_run_ends_as_one_that_was_not(tmp_path: Path, changes: dict[str, object]) -> None:
    tasks = MetaTasks.of((made_up(),), 4, reduced=not changes)

    def trained(name: str, *stops: int) -> dict[str, torch.Tensor]:
        model = None
        for steps in stops:
            run = RunDirectory.open(tmp_path / name, {})
            model = meta_train(config(steps=12, **changes), tasks, run, lambda _: None, stop_after=steps)
        assert model is not None
        return model.state_dict()

    whole, resumed = trained("whole", 12), trained("killed", 6, 12)
    for key, value in whole.items():
        torch.testing.assert_close(resumed[key], value, msg=key)
    entries = RunDirectory.open(tmp_path / "killed", {}).entries()
    assert [entry["step"] for entry in entries] == [10, 12]


def test_the_outer_loop_learns_and_reaches_the_margin_network(tmp_path: Path) -> None:
    tasks, slow = MetaTasks.of((made_up(8),), 4, reduced=True), config(steps=40, episodes=4)

    def loss(model: MetaModel) -> float:
        drawn = [(task, episode(task.task, 4, draw)) for task in tasks.validation for draw in range(8)]
        return float(np.mean([outer_loss(slow, model.fit(task, e), e).item() for task, e in drawn]))

    torch.manual_seed(slow.seed)
    before = MetaModel(slow, E)
    after = meta_train(slow, tasks, RunDirectory.open(tmp_path, {}), lambda _: None)
    assert loss(after) < loss(before)
    assert not torch.equal(after.margin.last.weight, before.margin.last.weight)
    assert {task.task.name for task in tasks.train}.isdisjoint(task.task.name for task in tasks.validation)


def test_styles_are_chosen_by_people() -> None:
    choice = choose_style(made_up(people=True))
    assert choice.mrr[choice.best] == pytest.approx(max(choice.mrr.values()), abs=1e-3)
    adaptation = choice.into(Adaptation.untrained(E))
    assert (adaptation.settings.style_strength, adaptation.settings.style_photos) == choice.best
    assert Adaptation.from_bytes(adaptation.to_bytes()).adaptation_id == adaptation.adaptation_id


def test_from_a_folder_to_a_file_that_a_bundle_carries(shapes_dir: Path, tiny_bundle_dir: Path, tmp_path: Path) -> None:
    chosen = config(folder="shapes", steps=2, episodes=1, draws=1, validation=2, ks=(1, 2))
    given = AdaptRun(chosen, shapes_dir.parent, tiny_bundle_dir, (), tmp_path / "run")
    adaptation = train_adapt(given)
    assert Adaptation.load(tmp_path / "run" / "adaptation.npz").adaptation_id == adaptation.adaptation_id
    figures = json.loads((tmp_path / "run" / "figures.json").read_text())
    assert figures["id"] == adaptation.adaptation_id
    assert 0 <= figures["validation"]["adapted, k = 2"]["acc@1"] <= 100
    assert train_adapt(given).adaptation_id == adaptation.adaptation_id
    assert {"revision", "command"} <= json.loads((tmp_path / "run" / "environment.json").read_text()).keys()
    gallery = {key.photo_id for key in _cached_keys(tmp_path / "run" / "embeddings")}
    assert gallery == {"0", "1", "2", "4"}  # photo 3 belongs to another split


def _cached_keys(folder: Path) -> list[PhotoKey]:
    (path,) = folder.glob("*.npz")
    with np.load(path) as file:
        return [PhotoKey(*key) for key in json.loads(str(file["known"]))["keys"]]


def test_a_wrong_experiment_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text("schema_version = 1\n[about]\n[start]\npower = -1.0\n")
    with pytest.raises(ConfigInvalid, match="power"):
        AdaptConfig.load(path)
    assert AdaptConfig.load(path, ["start.power = 0.5", "steps = 3"]).steps == 3
    for name in ("adaptive", "adaptive_paper"):
        shipped = AdaptConfig.load(Path(__file__).parents[3] / "models" / "configs" / f"{name}.toml")
        assert {"source", "command", "hardware", "hours", "expected", "reached"} <= set(shipped.about)
