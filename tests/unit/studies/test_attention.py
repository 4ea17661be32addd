"""Pictures of what is looked at: exact where they claim to be, and of the pairs that are named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from models.cli.train import app
from models.data.datasets import open_dataset
from models.evaluation.dataset_evaluation import evaluate_split
from models.evaluation.rankings import Protocol
from models.evaluation.report import read_pictures
from models.losses.objective import loss_terms
from models.networks.fused_teacher import Teacher
from models.networks.grid_students import GridStudentConfig, GridStudents
from models.networks.protocol import StudentPair
from models.networks.vit import VitConfig
from models.networks.vit_students import VitStudentConfig, VitStudents
from models.studies.attention.draw import AttentionRequest, draw_attention
from models.studies.attention.layout import Layout
from models.studies.attention.overlay import PANEL_PX, overlay
from models.studies.attention.students import CheckpointStudents
from models.training.engine.config import TrainingPlan
from models.training.engine.state import save_tensors
from models.training.recipes.xmodalvit.config import TeacherTraining, XModalConfig
from models.training.recipes.xmodalvit.teacher import TEACHER_NAME
from models.training.students.config import StudentTraining
from models.training.weights.students_file import StudentsFile

ENCODER = {"size_px": 32, "dim": 12, "depth": 1, "heads": 3, "patch_px": 8}


def test_parts_of_a_score_are_exact_and_lie_where_their_cells_do() -> None:
    layout = Layout(grid=3, channels=4, cls_dim=5)
    random = np.random.default_rng(0)
    sketch, photo = random.normal(size=(2, layout.embedding_dim)).astype(np.float32)
    parts = layout.parts(sketch, photo)
    for y in range(3):
        for x in range(3):
            numbers = [5 + channel * 9 + y * 3 + x for channel in range(4)]
            assert parts.cells[y, x] == pytest.approx(sum(float(sketch[n]) * float(photo[n]) for n in numbers))
    assert parts.rest == pytest.approx(float(sketch[:5] @ photo[:5]), abs=1e-6)
    assert parts.total == pytest.approx(float(sketch @ photo), abs=1e-5)


@pytest.mark.parametrize("form", ["grid", "vit"])
@torch.no_grad()
def test_the_layout_is_the_students_own(form: str) -> None:
    """Cells that are nothing everywhere but in one place give numbers there alone."""
    students: StudentPair = GridStudents(GridStudentConfig(size_px=32, widths=(4, 8), grid=2, channels=3)).eval()
    experiment: dict[str, object] = {"student": {"grid": 2, "channels": 3}}
    cells = torch.zeros(1, 8, 2, 2)
    cells[0, :, 0, 1] = torch.arange(1.0, 9.0)
    if form == "vit":
        students = VitStudents(
            VitStudentConfig(VitConfig(size_px=32, dim=12, depth=1, heads=3, patch_px=8), cls_dim=5, grid=2, channels=3)
        ).eval()
        experiment = {"vit_student": {"grid": 2, "channels": 3, "cls_dim": 5}, "student": None}
        cells = torch.zeros(1, 1 + 4, 12)
        cells[0, 1 + 1] = torch.arange(1.0, 13.0)
    embedding = students.photo.head(cells)[0].numpy()
    layout = Layout.of_experiment(experiment)
    assert layout.embedding_dim == students.config.embedding_dim == len(embedding)
    found = layout.parts(embedding, embedding).cells
    assert found[0, 1] > 0
    assert np.abs(np.delete(found.ravel(), 1)).max() < 1e-6


def test_an_overlay_tells_for_from_against_and_nothing_from_both() -> None:
    values = np.array([[1.0, -1.0], [0.0, 0.5]])
    shown = np.asarray(overlay(Image.new("L", (64, 64), 255), values, 1.0)).astype(int)
    quarter = PANEL_PX // 4
    corners = [shown[y, x] for y in (quarter, 3 * quarter) for x in (quarter, 3 * quarter)]
    assert corners[0][2] > corners[0][0] + 50  # blue
    assert corners[1][0] > corners[1][2] + 50  # red
    assert corners[2].tolist() == [255, 255, 255]
    assert corners[0][0] < corners[3][0] < 255  # half as much blue


@pytest.fixture
def looked_into(tmp_path: Path) -> tuple[Path, Path]:
    """A checkpoint of ViT students that keep a layout, and a teacher's run."""
    torch.manual_seed(0)
    config = XModalConfig.model_validate(
        {
            "about": {},
            "teacher": {"encoder": ENCODER, "fusion_blocks": 2},
            "student": {"form": "vit", "encoder": ENCODER, "cls_dim": 6, "grid": 2, "channels": 3},
            "sets": [{"folder": "shapes", "pool": "shapes"}],
            "teacher_training": TeacherTraining(plan=TrainingPlan(steps=1), losses=loss_terms(queue_contrast=1)),
            "student_training": StudentTraining(plan=TrainingPlan(steps=1), losses=loss_terms(info_nce=1)),
        }
    )
    experiment = config.model_dump(mode="json")
    state = config.student.build().state_dict()
    StudentsFile(1, state, experiment).save(tmp_path / "students.pt")
    (tmp_path / "teacher").mkdir()
    values = {"teacher": Teacher(config.teacher).state_dict(), "experiment": experiment, "step": 1}
    save_tensors(tmp_path / "teacher" / TEACHER_NAME, values)
    return tmp_path / "students.pt", tmp_path / "teacher"


def test_a_folder_of_pictures_for_a_report(shapes_dir: Path, tmp_path: Path, looked_into: tuple[Path, Path]) -> None:
    students, teacher = looked_into
    wanted = AttentionRequest(
        shapes_dir, tmp_path / "pictures", split="val", students=students, teacher=teacher, pairs=3
    )
    written = draw_attention(wanted)
    assert len(written) == 3
    assert [picture.caption[:2] for picture in read_pictures(tmp_path / "pictures")] == ["01", "02", "03"]
    evaluation = evaluate_split(
        CheckpointStudents.load(students), open_dataset(shapes_dir).split("val"), protocol=Protocol.CATEGORY
    )
    ranks = evaluation.served.rankings.ranks.tolist()
    by_pair: dict[str, set[int]] = {}
    for record, rank in zip(evaluation.records, ranks, strict=True):
        by_pair.setdefault(f"{record.photo.category}_{record.photo.photo_id}", set()).add(rank)
    for path in written:
        _, category, photo_id, _, rank = path.stem.split("_")
        assert int(rank) in by_pair[f"{category}_{photo_id}"]
        with Image.open(path) as image:
            assert image.width > 3 * PANEL_PX
            assert image.height > 4 * PANEL_PX  # contributions, the students' CLS, the teacher both ways


def test_a_bundle_that_does_not_say_what_it_is_is_refused(
    shapes_dir: Path, tiny_bundle_dir: Path, tmp_path: Path
) -> None:
    words = ["--data", shapes_dir, "--bundle", tiny_bundle_dir, "--out", tmp_path / "out"]
    result = CliRunner().invoke(app, ["attention", *map(str, words)])
    assert result.exit_code == 1
    assert "LayoutUnknown" in result.stderr
