"""The recipe from data sets to a bundle, killed and resumed, and what its steps see."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from models.bundle import Bundle, SketchNormalisation
from models.export.build import Release, build_bundle
from models.losses.inputs import LossInputs
from models.networks.layers.efficientnet_lite import EfficientNetLite
from models.networks.part_students import PartStudentConfig
from models.training.engine.config import ConfigInvalid
from models.training.engine.processes import Process
from models.training.engine.run_directory import RunDirectory
from models.training.engine.state import RunState
from models.training.pairs.run import PairRun, Resources
from models.training.recipes.parts.batches import PartsBatch, PartsBatches
from models.training.recipes.parts.config import PartsConfig
from models.training.recipes.parts.material import Material
from models.training.recipes.parts.prototype_file import PrototypeFile
from models.training.recipes.parts.task import PartsLearner, PartsTask
from models.training.recipes.parts.train import train_parts
from models.training.students.train import TeacherMissing
from models.training.weights.students_file import load_students

Parts = Callable[..., PartsConfig]
RELATIONS = {"relations": {"loss": "pair_relations", "part": "layout", "weight": 2.0}}


def run_of(config: PartsConfig, data: Path, out: Path, **options: object) -> PairRun[PartsConfig]:
    return PairRun(config, Resources(data, device="cpu", cache=data.parent / "cache"), out, **options)  # type: ignore[arg-type]


@pytest.mark.timeout(300)  # the exporter traces for long on a busy machine
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")  # of torch's own exporter
def test_from_data_sets_to_a_bundle_by_way_of_a_kill(parts_data: Path, parts: Parts, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    trims = parts(trim=True)
    train_parts(run_of(trims, parts_data, whole))
    train_parts(run_of(trims, parts_data, killed, stop_after=3))
    train_parts(run_of(trims, parts_data, killed))
    ends = [RunState.load(run / "checkpoint.pt") for run in (whole, killed)]
    for state in ("module", "averaged"):
        first, second = (getattr(end, state) for end in ends)
        assert all(torch.equal(value, second[name]) for name, value in first.items())
    entries = [
        [entry for entry in RunDirectory(run).entries() if "total" in entry or "score" in entry]
        for run in (whole, killed)
    ]
    assert entries[0] == entries[1]
    students, saved = load_students(whole / "students.pt")
    assert saved.step == 4
    card = tmp_path / "card.md"
    card.write_text("# Tiny\n{figures}\n")
    release = Release(
        whole / "students.pt", card, parts_data, tmp_path / "bundle", "tiny", SketchNormalisation(min_extent=0.2), 0.0
    )
    bundle = build_bundle(release)
    assert bundle.manifest.parts == students.config.embedding_parts
    assert bundle.photo.preprocess.trim and not bundle.sketch.preprocess.trim  # as it was trained
    files = sorted((parts_data / "outlines/photos/discs").glob("*.png"))
    embeddings = Bundle.load(tmp_path / "bundle").photo.embed(files)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1.0, atol=1e-5)
    assert np.ptp(embeddings, axis=0).max() > 0


def test_a_further_run_starts_from_students_and_learns_from_them(
    parts_data: Path, parts: Parts, tmp_path: Path
) -> None:
    first = tmp_path / "first"
    train_parts(run_of(parts(half_weights=True), parts_data, first, stop_after=2))
    # The run of two steps was stopped as if killed; its last evaluation was published.
    weights = first / "students.pt"
    assert load_students(weights)[1].weights["photo.trunk.stem.conv.weight"].dtype == torch.float16
    losses = {**RELATIONS, "match": {"loss": "embedding_match", "weight": 0.5}}
    config = parts(student_training={"losses": losses}, taught=["own"], head_share=0.1, seed=5)
    with pytest.raises(TeacherMissing):
        train_parts(run_of(config, parts_data, tmp_path / "none"))
    further = run_of(config, parts_data, tmp_path / "further", teacher=weights, start=weights)
    train_parts(further)
    assert load_students(tmp_path / "further" / "students.pt")[1].step == 4
    kept = list((parts_data.parent / "cache" / "teachers").glob("*.npz"))
    assert len(kept) == 1
    with np.load(kept[0]) as stored:
        assert stored["sketch"].shape == (20, 2, 12)  # two sketches of each of five photos of two categories
        assert stored["photo"].shape == (10, 2, 12)
        assert not np.array_equal(stored["photo"][:, 0], stored["photo"][:, 1])
    entries = RunDirectory(tmp_path / "further").entries()
    assert {"relations", "match", "instance", "total"} <= set(entries[-2] | entries[-1])


def task_and_batches(run: PairRun[PartsConfig], process: Process | None = None) -> tuple[PartsTask, PartsBatches]:
    torch.manual_seed(0)
    material = Material.open(run, lambda line: None)
    learner = PartsLearner(run.config.student.build(), material.table.kinds)
    process = process or Process()
    compatible = torch.from_numpy(material.table.compatible)
    task = PartsTask(run.config, learner, material.table.kinds, compatible, {}, process)
    pairs, kinds = material.pair_batches(run.config), material.kind_batches(run.config)
    return task, PartsBatches(run.config, material, pairs, kinds, process)


def labelled(batch: PartsBatch, inputs: LossInputs) -> tuple[int, int]:
    assert inputs.unpaired is not None
    return len(inputs.unpaired.sketches), len(inputs.unpaired.photos)


def test_the_layout_sees_pairs_alone_and_the_kind_all_rows(parts_data: Path, parts: Parts, tmp_path: Path) -> None:
    run = run_of(parts(bf16=False), parts_data, tmp_path / "run")
    task, batches = task_and_batches(run)
    batch = batches.batch(1)
    assert batch.pair_sketches.shape[2:] == (40, 40)  # sizes come in turn
    assert batches.batch(2).photos.shape[2:] == (32, 32)
    inputs = task.inputs(batch)
    students = task.learner.students
    assert labelled(batch, inputs) == (len(batch.sketches), len(batch.photos)) == (6, 2)  # stars and cups lack one
    # Recomputed by hand, from cells that differ: those of random weights hardly do, and the norms blow up rounding.
    head, own = students.sketch.head, 5
    cells = torch.randn(11, head.layout.norm.num_features * 4 + head.kind.norm.num_features)
    pairs, others = head.with_unpaired(cells[:own], cells[own:])
    pooled = cells[:, head.layout.norm.num_features * 4 :]
    standard = (pooled - pooled.mean(0)) / (pooled.var(0, unbiased=False) + 1e-5).sqrt()
    kind = head.parts.kind_weight * F.normalize(standard @ head.kind.project.weight.T, dim=1)
    torch.testing.assert_close(torch.cat([pairs, others])[:, 12:], kind)
    grid = cells[:own, : head.layout.norm.num_features * 4].reshape(own, -1, 4)
    level = (grid - grid.mean((0, 2), keepdim=True)) / (grid.var((0, 2), unbiased=False, keepdim=True) + 1e-5).sqrt()
    layout = torch.einsum("oc,bcg->bog", head.layout.project.weight[:, :, 0, 0], level).flatten(1)
    torch.testing.assert_close(pairs[:, :12], head.parts.layout_weight * F.normalize(layout, dim=1))
    assert others[:, :12].abs().sum() == 0
    assert inputs.prototypes is not None
    prototypes = inputs.part("kind").prototypes
    torch.testing.assert_close(prototypes, task.learner.prototypes())


def test_processes_see_their_share_of_what_one_would_see(parts_data: Path, parts: Parts, tmp_path: Path) -> None:
    run = run_of(parts(batch={"pairs": 4}), parts_data, tmp_path / "run")
    whole = task_and_batches(run)[1].batch(3)
    shares = [task_and_batches(run, Process(rank, 2))[1].batch(3) for rank in range(2)]
    for name in ("pair_sketches", "pair_photos", "sketches", "photos"):
        torch.testing.assert_close(torch.cat([getattr(share, name) for share in shares]), getattr(whole, name))
    assert all(torch.equal(share.identities, whole.identities) for share in shares)


def test_rates_and_decay_are_set_by_what_a_parameter_is(parts_data: Path, parts: Parts, tmp_path: Path) -> None:
    config = parts(head_share=0.25)
    task, _ = task_and_batches(run_of(config, parts_data, tmp_path / "run"))
    groups = task.rate_groups(config.student_training.plan)
    assert [group.rate for group in groups] == [1e-3, 1e-3, 0.25e-3, 2e-3]
    assert [group.weight_decay for group in groups] == [None, 0.0, 0.0, None]
    rated = [id(parameter) for group in groups for parameter in group.parameters]
    assert sorted(rated) == sorted(id(parameter) for parameter in task.module.parameters())
    trunk = task.learner.students.photo.trunk
    assert isinstance(trunk, EfficientNetLite)
    assert {id(p) for p in groups[2].parameters} == {id(p) for p in trunk.head.parameters()}


def test_prototypes_are_carried_over_by_name(tmp_path: Path) -> None:
    students = PartStudentConfig(size_px=32, width=0.1, depth=0.4, grid=2, channels=3, kind_dim=4).build()
    old, new = PartsLearner(students, ("cat", "dog")).prototypes, PartsLearner(students, ("dog", "owl")).prototypes
    before = new.free.detach().clone()
    PrototypeFile.of(old, ("cat", "dog")).save(tmp_path / "prototypes.pt")
    PrototypeFile.load(tmp_path / "prototypes.pt").start(new, ("dog", "owl"))
    assert torch.equal(new.free[0], old.free[1])
    assert torch.equal(new.free[1], before[1])
    assert torch.equal(new.of_words.weight, old.of_words.weight)


def test_losses_that_the_batches_cannot_serve_are_rejected(parts: Parts) -> None:
    for loss, reason in (("triplet", ""), ("queue_contrast", "queues"), ("photo_relations", "photo_teacher")):
        losses = {loss: {"loss": loss, "weight": 1.0}}
        if not reason:
            parts(student_training={"losses": losses})
            continue
        with pytest.raises(ConfigInvalid, match=reason):
            parts(student_training={"losses": losses})


def test_what_ships_names_no_folder_of_the_machine(parts: Parts) -> None:
    config = parts(teachers=[{"path": "resnet18"}, {"path": "/home/me/run/students.pt", "size_px": 48}])
    assert [member["path"] for member in config.published()["teachers"]] == ["resnet18", "students.pt"]
