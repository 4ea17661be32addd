from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from models.bundle import Bundle
from models.export.build import Release, build_bundle
from models.export.folded import fold
from models.export.onnx_export import export_onnx
from models.export.stored_weights import Storage
from models.networks.folding import pooled
from models.networks.grid_students import GridStudentConfig
from models.networks.part_students import PartStudentConfig
from models.networks.protocol import StudentPair
from models.networks.vit import VitConfig
from models.networks.vit_students import VitStudentConfig
from models.training.engine.state import CheckpointInvalid
from models.training.weights.students_file import StudentsFile, load_students

PLAIN = VitStudentConfig(VitConfig(size_px=32, dim=24, depth=2, heads=3, patch_px=8), cls_dim=12)
HYBRID = VitStudentConfig(
    VitConfig(size_px=48, dim=24, depth=1, heads=3, widths=(4, 8), grid=6), cls_dim=12, grid=4, channels=3
)

GRID = GridStudentConfig(size_px=48, widths=(4, 8), grid=5, channels=3)
PARTS = PartStudentConfig(size_px=40, width=0.1, depth=0.4, grid=2, channels=3, kind_dim=6)
Form = VitStudentConfig | GridStudentConfig | PartStudentConfig


def built(config: Form) -> StudentPair:
    """Random weights, and norms that would be noticed if they were lost."""
    torch.manual_seed(0)
    students = config.build()
    for module in students.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
        if isinstance(module, torch.nn.LayerNorm):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias)
    return students.eval()


@torch.no_grad()
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")  # of torch's own exporter
@pytest.mark.parametrize("config", [PLAIN, HYBRID, GRID, PARTS])
def test_students_of_any_form_export_as_they_are(config: Form) -> None:
    students = built(config)
    images = torch.randn(3, 3, config.size_px, config.size_px)
    session = onnxruntime.InferenceSession(export_onnx(students.sketch, config.size_px))
    for batch in (images, images[:1]):
        (rows,) = session.run(["embedding"], {"image": batch.numpy()})
        assert rows.shape == (len(batch), config.embedding_dim)
        assert np.abs(rows - fold(students.sketch, Storage.HALF)(batch).numpy()).max() < 1e-5
        assert np.abs(rows - students.sketch(batch).numpy()).max() < 2e-3
    assert torch.allclose(fold(students.sketch, None)(images), students.sketch(images), atol=1e-5)


@pytest.mark.parametrize(("side", "grid"), [(7, 5), (6, 4), (10, 5), (5, 5)])
def test_pooling_without_the_adaptive_operation(side: int, grid: int) -> None:
    features = torch.randn(2, 3, side, side)
    expected = torch.nn.functional.adaptive_avg_pool2d(features, grid)
    assert torch.allclose(pooled(features, grid), expected, atol=1e-6)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_a_checkpoint_of_vit_students_becomes_a_bundle(shapes_dir: Path, tmp_path: Path) -> None:
    state = built(HYBRID).state_dict()
    validation = [{"name": "val", "folder": "shapes", "split": "val", "category": None}]
    experiment = {"student": None, "vit_student": asdict(HYBRID), "validation": validation}
    checkpoint = StudentsFile(7, state, experiment)
    checkpoint.save(tmp_path / "students.pt")
    (tmp_path / "card.md").write_text("# Card\n\n{figures}\n")
    build_bundle(
        Release(
            tmp_path / "students.pt",
            tmp_path / "card.md",
            shapes_dir.parent,
            tmp_path / "bundle",
            "vit",
            min_accuracy=0.0,
        )
    )
    bundle = Bundle.load(tmp_path / "bundle")
    assert bundle.embedding_dim == HYBRID.embedding_dim
    assert bundle.manifest.metrics["parity"]["rank_changes"] == 0
    assert bundle.manifest.metrics["parity"]["max_difference"] < 1e-5
    bundle.check_canary()


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_students_of_two_parts_become_a_bundle_that_knows_them(shapes_dir: Path, tmp_path: Path) -> None:
    validation = [{"name": "val", "folder": "shapes", "split": "val", "category": None}]
    saved = StudentsFile(5, built(PARTS).state_dict(), {"student": asdict(PARTS), "validation": validation})
    saved.save(tmp_path / "students.pt")
    (tmp_path / "card.md").write_text("# Card\n\n{figures}\n")
    out = tmp_path / "bundle"
    build_bundle(
        Release(tmp_path / "students.pt", tmp_path / "card.md", shapes_dir.parent, out, "parts", min_accuracy=0.0)
    )
    bundle = Bundle.load(out)
    assert bundle.parts == PARTS.embedding_parts
    assert bundle.embedding_dim == 18
    assert bundle.manifest.photo.preprocess.mean == bundle.manifest.sketch.preprocess.std == (0.5, 0.5, 0.5)
    assert bundle.adaptation is not None
    assert bundle.adaptation.embedding_dim == 12  # within a category, the layout alone is adapted and compared
    bundle.check_canary()


def test_a_checkpoint_whose_weights_do_not_fit_is_refused(tmp_path: Path) -> None:
    experiment = {"student": asdict(GridStudentConfig(widths=(4, 8)))}
    state = built(PLAIN).state_dict()
    StudentsFile(1, state, experiment).save(tmp_path / "bad.pt")
    with pytest.raises(CheckpointInvalid, match="another release"):
        load_students(tmp_path / "bad.pt")
