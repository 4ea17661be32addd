"""Students without a teacher: the experiment of the first encoders, and what a run of that kind leaves."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from models.bundle import decode_image
from models.data.images.training_sets import SetConfig
from models.evaluation.splits import ValidationSplit, load_galleries
from models.losses.objective import loss_terms
from models.networks.grid_students import GridStudentConfig, GridStudents
from models.networks.preprocessing import preprocesses
from models.networks.protocol import StudentPair
from models.networks.vit import VitConfig
from models.networks.vit_students import VitStudentConfig, VitStudents
from models.training.engine.config import ConfigInvalid, TrainingPlan
from models.training.engine.processes import Process
from models.training.engine.schedule import rate_factor
from models.training.engine.state import RunState
from models.training.pairs.config import BatchConfig
from models.training.pairs.run import PairRun, Resources
from models.training.recipes.contrastive.config import ContrastiveConfig
from models.training.recipes.contrastive.train import train_contrastive
from models.training.recipes.table import train_teacher_of
from models.training.students.config import StudentTraining
from models.training.students.validation import validate
from models.training.weights.students_file import STUDENTS_NAME, StudentsFile

CONFIGS = Path(__file__).parents[3] / "models" / "configs"
VAL = (ValidationSplit("val", "shapes", "val"),)


def tiny(steps: int) -> ContrastiveConfig:
    plan = TrainingPlan(steps=steps, new_rate=1e-3, ema_decay=0.9, evaluate_every=steps)
    return ContrastiveConfig(
        about={},
        cache_px=36,
        pretrained=False,
        student=GridStudentConfig(size_px=32, widths=(4, 8, 8), grid=2, channels=4),
        batch=BatchConfig(pairs=8, groups=2),
        sets=(SetConfig(folder="shapes", pool="shapes"),),
        validation=VAL,
        student_training=StudentTraining(plan=plan, losses=loss_terms(info_nce=1)),
    )


def test_kept_weights_are_those_of_their_step(shapes_dir: Path, tmp_path: Path) -> None:
    resources = Resources(shapes_dir.parent, device="cpu")
    train_contrastive(PairRun(tiny(6), resources, tmp_path / "run", stop_after=5, keep=(4, 6)))
    assert not (tmp_path / "run" / "kept" / "6").exists()
    train_contrastive(PairRun(tiny(6), resources, tmp_path / "run", keep=(4, 6)))
    kept = {step: StudentsFile.load(tmp_path / "run" / "kept" / str(step) / STUDENTS_NAME) for step in (4, 6)}
    assert [kept[step].step for step in (4, 6)] == [4, 6]
    end = RunState.load(tmp_path / "run" / "checkpoint.pt")
    weight = "sketch.head.project.weight"
    assert torch.equal(kept[6].weights[weight], end.averaged[f"students.{weight}"])
    assert not torch.equal(kept[4].weights[weight], kept[6].weights[weight])


def test_an_experiment_without_a_teacher_trains_none(shapes_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="trains no teacher"):
        train_teacher_of(PairRun(tiny(1), Resources(shapes_dir.parent), tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_the_first_encoders_experiment_is_whole() -> None:
    config = ContrastiveConfig.load(CONFIGS / "first_encoders.toml")
    assert {"source", "command", "hardware", "hours", "expected", "reached"} <= set(config.about)
    assert not config.student_training.distilling


@pytest.mark.parametrize("form", ["grid", "vit"])
def test_validation_figures_are_those_of_a_loop(shapes_dir: Path, form: str) -> None:
    torch.manual_seed(0)
    students: StudentPair = GridStudents(GridStudentConfig(size_px=32, widths=(4, 8, 8), grid=2, channels=4))
    if form == "vit":
        students = VitStudents(VitStudentConfig(VitConfig(size_px=32, dim=12, depth=1, heads=3, patch_px=8), cls_dim=6))
    galleries = load_galleries(shapes_dir.parent, (ValidationSplit("seen", "shapes", "train"),))
    figures = validate(students, galleries, Process(), bf16=False)
    views = preprocesses(32)
    hits = {"seen@1": 0, "seen/centred@1": 0}
    with torch.no_grad():
        for gallery in galleries["seen"]:
            rows = [views[1](decode_image(photo.path.read_bytes()).image) for photo in gallery.photos]
            photos = students.photo(torch.from_numpy(np.stack(rows))).double()
            mean = photos.sum(dim=0) / (len(photos) + 4)
            for query, target in zip(gallery.queries, gallery.targets(), strict=True):
                drawn = views[0](query.sketch.image())
                sketch = students.sketch(torch.from_numpy(drawn)[None])[0].double()
                hits["seen@1"] += int((photos @ sketch).argmax() == target)
                apart = torch.nn.functional.cosine_similarity(photos - mean, (sketch - mean)[None])
                hits["seen/centred@1"] += int(apart.argmax() == target)
    assert {name: figures[name] for name in hits} == {
        name: pytest.approx(100 * count / 12, abs=0.06) for name, count in hits.items()
    }
    assert not students.training


def test_rate_warms_up_stays_and_decays_to_nothing() -> None:
    factors = [rate_factor(step, 100, 10, 0.3) for step in range(100)]
    assert factors[0] == pytest.approx(0.1)
    assert factors[9:70] == [1.0] * 61
    assert all(later < earlier for earlier, later in itertools.pairwise(factors[70:]))
    assert factors[-1] < 0.01
    # The plateau does not know how long the run is.
    assert factors[:70] == [rate_factor(step, 1000, 10, 0.3) for step in range(70)]
