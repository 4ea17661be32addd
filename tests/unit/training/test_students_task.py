"""The students' task: what it offers to losses, and what it asks of networks and batches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from models.losses.inputs import LossInputs, Need, Strokes, Targets
from models.losses.loss import Loss, LossOptions, Terms
from models.losses.objective import LossTerm, Objective, loss_terms
from models.networks.frozen import FrozenNetwork, FrozenStudents
from models.networks.grid_students import GridStudentConfig
from models.networks.protocol import StudentForm, StudentPair
from models.networks.vit import VitConfig
from models.networks.vit_students import VitStudentConfig
from models.training.engine.config import ConfigInvalid, TrainingPlan
from models.training.engine.distributed import gather_objects, gather_rows, share_of, sum_gradients
from models.training.engine.processes import Process
from models.training.pairs.batches import PairBatch, Views
from models.training.pairs.run import PairRun, Resources
from models.training.recipes.contrastive.config import ContrastiveConfig
from models.training.recipes.contrastive.train import train_contrastive
from models.training.recipes.xmodalvit.config import XModalConfig
from models.training.students.config import StudentExperiment, StudentTraining
from models.training.students.task import Distillation, StudentsTask, offered_needs

GRID = GridStudentConfig(size_px=32, widths=(4, 8), grid=2, channels=3)
VIT = VitStudentConfig(VitConfig(size_px=32, dim=12, depth=1, heads=3, patch_px=8), cls_dim=6, grid=2, channels=3)
B = 4


def batch(strokes: Strokes | None = None, labels: Tensor | None = None) -> PairBatch:
    images = torch.randn(3, B, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    views = Views(images[0], images[1], images[2])
    return PairBatch(torch.arange(B), torch.tensor([0, 0, 1, 1]), {32: views}, labels, strokes)


def task_of(form: StudentForm, losses: dict[str, LossTerm], teacher: FrozenNetwork | None = None) -> StudentsTask:
    torch.manual_seed(0)
    students = form.build()
    values = {"about": {}, "bf16": False, "sets": [{"folder": "x", "pool": "x"}], "student": form}
    training = StudentTraining(plan=TrainingPlan(steps=1), losses=losses, queue_length=6)
    recipe: type[StudentExperiment] = ContrastiveConfig if teacher is None else XModalConfig
    config = recipe.model_validate({**values, "student_training": training})
    width = students.config.embedding_dim if teacher is None else teacher.embedding_dim
    return StudentsTask(config, Distillation(students, width), teacher, {}, Process())


def larger() -> FrozenStudents:
    torch.manual_seed(1)
    return FrozenStudents(replace(GRID, channels=5).build())


def test_inputs_are_the_students_and_the_teacher_s_answers() -> None:
    teacher = larger()
    task = task_of(GRID, loss_terms(relational_angle=1, queue_contrast=1), teacher)
    views = batch().views[32]
    inputs = task.inputs(batch())
    students = task.distillation.students
    sketches = students.sketch.head(students.sketch.cells(torch.cat([views.first, views.second])))
    torch.testing.assert_close(inputs.sketches, sketches[:B])  # one batch of statistics for both sketches of a photo
    torch.testing.assert_close(inputs.second_sketches, sketches[B:])
    targets = teacher(views.photos, views.first, views.second)
    assert inputs.targets is not None
    for name, value in vars(targets).items():
        torch.testing.assert_close(getattr(inputs.targets, name), value)
    sketch, photo = inputs.matches
    torch.testing.assert_close(sketch.queries, task.distillation.sketch_to_teacher(inputs.sketches))
    torch.testing.assert_close(photo.keys, targets.photo_first)
    assert (sketch.queries.shape, photo.queries.shape) == ((B, 20), (B, 20))


def test_queues_hold_what_was_seen_and_travel_with_the_state() -> None:
    task = task_of(GRID, loss_terms(queue_contrast=1), larger())
    expected = task.inputs(batch()).targets
    assert isinstance(expected, Targets)
    task.losses(batch())
    assert task.queues["r_s"].pointer == B
    torch.testing.assert_close(task.queues["r_s"].keys[:B], expected.sketch_first)
    torch.testing.assert_close(task.queues["r_p"].keys[:B], expected.photo_first)
    assert task.queues["r_s"].identities[:B].tolist() == [0, 1, 2, 3]
    other = task_of(GRID, loss_terms(queue_contrast=1), larger())
    other.restore(task.memory())
    assert torch.equal(other.queues["r_p"].keys, task.queues["r_p"].keys)
    assert other.queues["r_p"].pointer == B


def test_without_need_there_is_no_second_sketch_teacher_or_queue() -> None:
    task = task_of(GRID, loss_terms(info_nce=1))
    inputs = task.inputs(batch())
    assert inputs.second_sketches is None
    assert inputs.targets is None
    assert (inputs.matches, task.queues, task.memory()) == ((), {}, {})
    assert task.sizes == (32,)
    assert task_of(GRID, loss_terms(embedding_match=1), larger()).queues == {}


def looking(inputs: LossInputs, options: LossOptions) -> Terms:
    """A loss of the kind to come: it reads feature maps, attention, strokes and kinds."""
    assert inputs.feature_maps is not None
    assert inputs.attention is not None
    assert inputs.strokes is not None
    assert inputs.kind_labels is not None
    maps = (inputs.feature_maps.sketches[-1] - inputs.feature_maps.photos[-1]).square().mean()
    seen = (inputs.attention.sketches[0] - inputs.attention.photos[0]).square().mean()
    return Terms(maps + seen + inputs.strokes.points.mean() + inputs.kind_labels.float().mean())


NEEDS = frozenset({Need.FEATURE_MAPS, Need.ATTENTION, Need.STROKES, Need.KIND_LABELS})
LOOKING = {"looking": Loss("looking", LossOptions, looking, NEEDS)}


def test_a_loss_may_read_feature_maps_attention_strokes_and_kinds() -> None:
    task = task_of(VIT, loss_terms(info_nce=1))
    task.objective = Objective({"looking": LossTerm(loss="looking", weight=1.0)}, LOOKING)
    strokes = Strokes(torch.rand(B, 7, 2), torch.ones(B, 7, dtype=torch.bool), torch.full((B,), 7))
    inputs = task.inputs(batch(strokes, torch.arange(B)))
    assert inputs.feature_maps is not None
    assert [level.shape for level in inputs.feature_maps.sketches] == [(B, 12, 4, 4)]
    assert inputs.attention is not None
    assert inputs.attention.photos[0].shape == (B, 3, 4, 4)
    total = task.losses(batch(strokes, torch.arange(B)))["total"]
    torch.autograd.backward(total)
    encoder = task.distillation.students.trunks()[0]
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in encoder.parameters())


def test_grid_students_give_a_map_of_each_stage() -> None:
    task = task_of(GRID, loss_terms(info_nce=1))
    table = {"maps": Loss("maps", LossOptions, looking, frozenset({Need.FEATURE_MAPS}))}
    task.objective = Objective({"maps": LossTerm(loss="maps", weight=1.0)}, table)
    maps = task.inputs(batch()).feature_maps
    assert maps is not None
    assert [level.shape for level in maps.photos] == [(B, 4, 8, 8), (B, 8, 4, 4)]


@pytest.mark.parametrize(
    ("form", "with_teacher", "lacking"),
    [
        (GRID, False, {Need.ATTENTION, Need.STROKES, Need.TARGETS}),
        (GRID, True, {Need.ATTENTION, Need.STROKES}),
        (VIT, False, {Need.STROKES, Need.MATCHES}),
    ],
)
def test_what_is_offered(form: StudentForm, with_teacher: bool, lacking: set[Need]) -> None:
    offered = offered_needs(form.build(), with_teacher=with_teacher)
    assert not offered & lacking
    assert {Need.SECOND_SKETCHES, Need.FEATURE_MAPS} <= offered
    assert (Need.ATTENTION in offered) == (form is VIT)


def test_a_part_of_the_embedding_has_to_exist(tmp_path: Path) -> None:
    losses = {"kinds": {"loss": "info_nce", "part": "kind", "weight": 1.0}}
    config = ContrastiveConfig.model_validate(
        {
            "about": {},
            "pretrained": False,
            "sets": [{"folder": "x", "pool": "x"}],
            "student": GRID,
            "student_training": {"plan": {"steps": 1}, "losses": losses},
        }
    )
    with pytest.raises(ConfigInvalid, match="kinds looks at the part 'kind'; these students have grid"):
        train_contrastive(PairRun(config, Resources(tmp_path), tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_rows_are_shared_out_evenly_and_one_process_keeps_its_own() -> None:
    processes = [Process(rank, 3) for rank in range(3)]
    rows = [row for process in processes for row in range(12)[share_of(12, process)]]
    assert rows == list(range(12))
    alone, own = Process(), torch.randn(3, 2)
    assert gather_rows(own, alone) is own
    assert gather_objects("x", alone) == ["x"]
    assert alone.is_main
    assert not processes[1].is_main
    layer = torch.nn.Linear(2, 2)
    torch.autograd.backward(layer(own).sum())
    before = [p.grad.clone() for p in layer.parameters() if p.grad is not None]
    sum_gradients([layer], [], alone)
    assert all(torch.equal(p.grad, b) for p, b in zip(layer.parameters(), before, strict=True) if p.grad is not None)


def test_published_weights_are_the_students_alone(tmp_path: Path) -> None:
    task = task_of(GRID, loss_terms(embedding_match=1), larger())
    task.publish(task.module, 7, tmp_path)
    saved = torch.load(tmp_path / "students.pt", weights_only=True)
    students: StudentPair = task.distillation.students
    assert set(saved["averaged"]) == set(students.state_dict())
    assert saved["step"] == 7
    assert saved["experiment"]["student"]["channels"] == 3
