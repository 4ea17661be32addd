from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from models.bundle import write_bundle
from models.data.images.training_sets import SetConfig
from models.evaluation.splits import ValidationSplit
from models.export.folded import fold
from models.export.onnx_export import export_onnx
from models.export.stored_weights import Storage
from models.losses.distillation.embedding_match import embedding_match
from models.losses.objective import loss_terms
from models.networks.frozen import FrozenBundle, FrozenStudents
from models.networks.grid_students import GridStudentConfig, GridStudents
from models.networks.layers.mobilenet import MobileNetTrunk
from models.networks.preprocessing import preprocesses
from models.training.engine.config import TrainingPlan
from models.training.engine.run_directory import RunMismatch
from models.training.engine.state import CheckpointInvalid
from models.training.pairs.config import BatchConfig
from models.training.pairs.run import PairRun, Resources
from models.training.recipes.xmodalvit.config import XModalConfig
from models.training.recipes.xmodalvit.frozen_teachers import TeacherUnfit, load_frozen
from models.training.recipes.xmodalvit.students import distill_students
from models.training.students.config import StudentTraining
from models.training.weights.students_file import STUDENTS_NAME, StudentsFile, load_students

LARGE = GridStudentConfig(size_px=32, widths=(8, 16), grid=2, channels=4)
SMALL = GridStudentConfig(size_px=32, widths=(4, 6, 8), grid=2, channels=4, levels=2, trunk="mobilenet_v2")


def shaken(module: torch.nn.Module) -> None:
    for part in module.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            assert part.running_mean is not None
            assert part.running_var is not None
            part.running_mean.normal_(std=0.1)
            part.running_var.uniform_(0.5, 2.0)


def test_the_trunk_has_torchvision_s_names_and_strides() -> None:
    trunk = MobileNetTrunk()
    published = {f"features.{name.removeprefix('blocks.')}": value for name, value in trunk.state_dict().items()}
    for name, shape in {
        "features.0.0.weight": (32, 3, 3, 3),
        "features.1.conv.0.0.weight": (32, 1, 3, 3),
        "features.1.conv.1.weight": (16, 32, 1, 1),
        "features.2.conv.1.0.weight": (96, 1, 3, 3),
        "features.13.conv.3.running_var": (96,),
    }.items():
        assert tuple(published[name].shape) == shape
    assert [tuple(level.shape) for level in trunk.features(torch.zeros(1, 3, 64, 64))] == [
        (1, 16, 32, 32),
        (1, 24, 16, 16),
        (1, 32, 8, 8),
        (1, 64, 4, 4),
        (1, 96, 4, 4),
    ]
    other = MobileNetTrunk()
    other.load_published({**published, "classifier.1.bias": torch.zeros(1000)})
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in trunk.state_dict().items())
    trunk.freeze(2)
    learning = {int(name.split(".")[1]) for name, value in trunk.named_parameters() if value.requires_grad}
    assert learning == set(range(4, 14))  # the stem, one block and two are frozen


@torch.no_grad()
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")  # of torch's own exporter
def test_small_students_export_as_they_are() -> None:
    torch.manual_seed(0)
    students = GridStudents(SMALL).eval()
    shaken(students)
    images = torch.randn(3, 3, 32, 32)
    assert torch.allclose(fold(students.photo, None)(images), students.photo(images), atol=1e-5)
    session = onnxruntime.InferenceSession(export_onnx(students.photo, 32))
    (rows,) = session.run(["embedding"], {"image": images.numpy()})
    assert np.abs(rows - fold(students.photo, Storage.HALF)(images).numpy()).max() < 1e-5
    assert not any(node in ("bn", "norm") for node, _ in fold(students.photo, None).named_modules())


def test_match_against_the_definition() -> None:
    random = torch.Generator().manual_seed(0)
    rows, targets = torch.randn(3, 5, generator=random), torch.randn(3, 5, generator=random)
    naive = sum(1 - float(a @ b / (a.norm() * b.norm())) for a, b in zip(rows, targets, strict=True)) / 3
    assert float(embedding_match(rows, targets).total) == pytest.approx(naive, rel=1e-5)
    assert float(embedding_match(rows, 2 * rows).total) == pytest.approx(0.0, abs=1e-6)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    state = GridStudents(LARGE).state_dict()
    experiment = {"student": asdict(LARGE)}
    StudentsFile(1, state, experiment).save(tmp_path / "large.pt")
    return tmp_path / "large.pt"


def experiment(**losses: float) -> XModalConfig:
    return XModalConfig(
        about={},
        cache_px=32,
        pretrained=False,
        student=SMALL,
        batch=BatchConfig(pairs=4, groups=1),
        sets=(SetConfig(folder="shapes", pool="shapes", synthetic=False),),
        validation=(ValidationSplit("val", "shapes", "val"),),
        student_training=StudentTraining(
            plan=TrainingPlan(steps=2, rate=1e-3, evaluate_every=2),
            queue_length=5,
            losses=loss_terms(queue_contrast=1, relational_distance=1, **losses),
        ),
    )


def test_larger_students_teach_smaller_ones(large: Path, shapes_dir: Path, tmp_path: Path) -> None:
    run = PairRun(
        experiment(embedding_match=1.0, centred_info_nce=1.0),
        Resources(shapes_dir.parent),
        tmp_path / "run",
        teacher=large,
    )
    distill_students(run)
    lines = (tmp_path / "run" / "metrics.jsonl").read_text()
    assert '"embedding_match"' in lines
    assert '"queue_contrast"' in lines
    students, saved = load_students(tmp_path / "run" / STUDENTS_NAME)
    assert students.config == SMALL
    assert saved.experiment["student"]["trunk"] == "mobilenet_v2"
    with pytest.raises(CheckpointInvalid):
        distill_students(PairRun(run.config, run.resources, tmp_path / "none", teacher=tmp_path / "data"))


def test_frozen_students_answer_as_in_eval_mode_and_never_learn(large: Path) -> None:
    students, _ = load_students(large)
    frozen = FrozenStudents(students).train()
    photos, first, second = torch.randn(3, 2, 3, 32, 32)
    found = frozen(photos, first, second)
    assert torch.equal(found.photo_first, students.eval().photo(photos))
    assert torch.equal(found.photo_second, found.photo_first)
    assert torch.equal(found.sketch_second, students.sketch(second))
    assert frozen(photos, first, first).sketch_second is not None
    assert not any(module.training for module in frozen.modules())
    assert not any(parameter.requires_grad for parameter in frozen.parameters())


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")  # of torch's own exporter
def test_a_bundle_teaches_what_its_students_would(
    large: Path, tiny_bundle_dir: Path, shapes_dir: Path, tmp_path: Path
) -> None:
    students, _ = load_students(large)
    assert isinstance(students, GridStudents)
    sketch, photo = preprocesses(32)
    write_bundle(
        tmp_path / "bundle",
        name="large",
        sketch_onnx=export_onnx(students.sketch, 32),
        sketch_preprocess=sketch,
        photo_onnx=export_onnx(students.photo, 32),
        photo_preprocess=photo,
        model_card="# large",
    )
    teacher = load_frozen(tmp_path / "bundle")
    assert isinstance(teacher, FrozenBundle)
    assert (teacher.embedding_dim, teacher.size_px) == (LARGE.embedding_dim, 32)
    images = torch.randn(3, 2, 3, 32, 32)
    one, other = teacher(*images), FrozenStudents(students)(*images)
    # A bundle's weights are stored in half precision.
    assert all(torch.allclose(value, vars(other)[name], atol=2e-3) for name, value in vars(one).items())
    run = PairRun(
        experiment(embedding_match=1.0), Resources(shapes_dir.parent), tmp_path / "run", teacher=tmp_path / "bundle"
    )
    distill_students(run)
    known = hashlib.sha256(teacher.bundle.bundle_id.encode()).hexdigest()
    assert json.loads((tmp_path / "run" / "config.json").read_text())["teacher_sha256"] == known
    with pytest.raises(TeacherUnfit, match=r"sketch encoder .* takes 32 px, mean"):
        distill_students(replace(run, teacher=tiny_bundle_dir, out=tmp_path / "none"))


def test_students_begin_where_others_ended(large: Path, shapes_dir: Path, tmp_path: Path) -> None:
    still = TrainingPlan(steps=1, rate=0.0, new_rate=0.0, weight_decay=0.0, evaluate_every=1)
    training = StudentTraining(plan=still, losses=loss_terms(info_nce=1))
    changed = {"student": replace(LARGE, size_px=48), "student_training": training, "pretrained": True}
    config = experiment().model_copy(update=changed)  # ImageNet is not asked for where something else is begun with
    resources = Resources(shapes_dir.parent)
    distill_students(PairRun(config, resources, tmp_path / "run", start=large))
    begun, ended = load_students(large)[0].state_dict(), load_students(tmp_path / "run" / STUDENTS_NAME)[0].state_dict()
    assert all(torch.equal(begun[name], ended[name]) for name in begun if "head.norm" not in name)
    with pytest.raises(RunMismatch):
        distill_students(PairRun(config, resources, tmp_path / "run"))
    with pytest.raises(CheckpointInvalid, match="another form"):
        distill_students(
            PairRun(config.model_copy(update={"student": SMALL}), resources, tmp_path / "none", start=large)
        )


def test_a_mobile_trunk_learns_at_the_rate_of_pretrained_ones(shapes_dir: Path, tmp_path: Path) -> None:
    still = TrainingPlan(steps=2, rate=0.0, new_rate=1e-2, evaluate_every=2)
    training = StudentTraining(plan=still, losses=loss_terms(info_nce=1))
    config = experiment().model_copy(update={"student_training": training})
    torch.manual_seed(config.seed)
    begun = config.student.build().state_dict()
    distill_students(PairRun(config, Resources(shapes_dir.parent), tmp_path / "run"))
    ended = load_students(tmp_path / "run" / STUDENTS_NAME)[0].state_dict()
    assert all(torch.equal(begun[name], ended[name]) for name in begun if ".trunk." in name)
    assert not torch.equal(begun["sketch.head.project.weight"], ended["sketch.head.project.weight"])
