from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from models.bundle import Bundle
from models.data.images.training_sets import SetConfig
from models.evaluation.splits import ValidationSplit
from models.export.build import MAX_DIFFERENCE, Release, build_bundle
from models.export.folded import fold
from models.export.onnx_export import export_onnx
from models.export.parity import ParityBroken, compare
from models.export.stored_weights import Storage
from models.losses.objective import loss_terms
from models.networks.grid_students import GridStudentConfig, GridStudents
from models.training.engine.config import TrainingPlan
from models.training.pairs.config import BatchConfig
from models.training.pairs.run import PairRun, Resources
from models.training.recipes.contrastive.config import ContrastiveConfig
from models.training.recipes.contrastive.train import train_contrastive
from models.training.students.config import StudentTraining
from models.training.weights.students_file import STUDENTS_NAME

CONFIG = GridStudentConfig(size_px=32, widths=(8, 16, 16), grid=2, channels=4)


@pytest.fixture(scope="module", params=[1, 2])
def students(request: pytest.FixtureRequest) -> GridStudents:
    """Random weights, and statistics that would be noticed if they were lost."""
    torch.manual_seed(0)
    students = GridStudents(dataclasses.replace(CONFIG, levels=request.param))
    for module in students.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
            if module.weight is not None:
                torch.nn.init.uniform_(module.weight, 0.5, 1.5)
                torch.nn.init.normal_(module.bias)
    return students.eval()


@torch.no_grad()
def test_folding_changes_nothing(students: GridStudents) -> None:
    images = torch.randn(3, 3, 32, 32)
    assert torch.allclose(students.sketch.folded()(images), students.sketch(images), atol=1e-5)
    assert not any("norm" in name.lower() for name, _ in students.photo.folded().named_modules())


@torch.no_grad()
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_onnx_answers_as_torch_does_for_any_batch(students: GridStudents) -> None:
    data = export_onnx(students.photo, 32)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    for batch in (1, 5):
        images = torch.randn(batch, 3, 32, 32)
        (rows,) = session.run(["embedding"], {"image": images.numpy()})
        assert rows.shape == (batch, CONFIG.embedding_dim)
        # To float32 precision the student whose weights were rounded to half, and nearly the one before.
        assert np.abs(rows - fold(students.photo, Storage.HALF)(images).numpy()).max() < 1e-5
        assert np.abs(rows - students.photo(images).numpy()).max() < 2e-3
        assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)
    model = onnx.load_from_string(data)
    halves = [w for w in model.graph.initializer if w.data_type == onnx.TensorProto.FLOAT16]
    assert halves
    assert len(data) < 4 * sum(p.numel() for p in students.photo.parameters())
    assert str(Path(__file__).parents[3]).encode() not in data


def test_parity_tells_rounding_from_another_ranking() -> None:
    photos = np.eye(4, dtype=np.float32)
    sketch = np.array([[0.8, 0.6, 0.0, 0.0]], dtype=np.float32)
    same = compare((sketch, photos), (sketch, photos), k=2)
    assert (same.max_difference, same.rank_changes, same.images) == (0.0, 0, 5)
    same.require(1e-6)
    turned = np.array([[0.6, 0.8, 0.0, 0.0]], dtype=np.float32)
    other = compare((sketch, photos), (turned, photos), k=2)
    assert (other.rank_changes, other.rank_swaps_within_tolerance) == (2, 0)
    with pytest.raises(ParityBroken, match="differ by up to 2"):
        other.require(1e-3)
    with pytest.raises(ParityBroken, match="2 positions"):
        other.require(1.0)
    tie = np.array([[0.7071, 0.7072, 0.0, 0.0]], dtype=np.float32)
    rounded = compare((tie, photos), (tie[:, [1, 0, 2, 3]], photos), k=2)
    assert rounded.rank_changes == rounded.rank_swaps_within_tolerance == 2
    rounded.require(1e-3)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_from_training_to_a_measured_bundle(shapes_dir: Path, tmp_path: Path) -> None:
    splits = (ValidationSplit("val", "shapes", "val"),)
    config = ContrastiveConfig(
        about={},
        cache_px=32,
        pretrained=False,
        student=CONFIG,
        batch=BatchConfig(pairs=4, groups=1),
        sets=(SetConfig(folder="shapes", pool="shapes", synthetic=False),),
        validation=splits,
        student_training=StudentTraining(plan=TrainingPlan(steps=2), losses=loss_terms(info_nce=1)),
    )
    train_contrastive(PairRun(config, Resources(shapes_dir.parent), tmp_path / "run"))
    (tmp_path / "card.md").write_text("# Card\n\n{figures}\n")
    release = Release(
        tmp_path / "run" / STUDENTS_NAME,
        tmp_path / "card.md",
        shapes_dir.parent,
        tmp_path / "bundle",
        "shapes",
        min_accuracy=0.0,
    )
    bundle = build_bundle(release)
    bundle.check_canary()
    assert bundle.bundle_id.startswith("shapes-")
    assert bundle.manifest.metrics["splits"]["val"]["queries"] == 4
    assert bundle.manifest.provenance["steps"] == 2
    card = (tmp_path / "bundle" / "MODEL_CARD.md").read_text()
    assert "| val | 4 |" in card
    assert Bundle.load(tmp_path / "bundle").embedding_dim == CONFIG.embedding_dim
    assert bundle.adaptation is not None  # it can be taught, by what carries over from the shipped one
    assert bundle.adaptation.embedding_dim == CONFIG.embedding_dim
    assert "usual" not in bundle.adaptation.arrays

    # Photos are embedded before anybody waits, so their encoder may look at more pixels.
    larger = build_bundle(dataclasses.replace(release, card=None, out=tmp_path / "larger", photo_px=48))
    assert [spec.preprocess.size_px for spec in (larger.manifest.sketch, larger.manifest.photo)] == [32, 48]
    assert "32 x 32 px of sketches, 48 x 48 px of photos" in (tmp_path / "larger" / "MODEL_CARD.md").read_text()
    larger.check_canary()
    white = np.full((1, 3, 48, 48), 0.5, np.float32)
    assert larger.photo.encode(white).shape == (1, CONFIG.embedding_dim)
    assert larger.manifest.metrics["parity"]["max_difference"] <= MAX_DIFFERENCE
