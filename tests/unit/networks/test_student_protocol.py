"""Students of every form through the one protocol that training, validation and export ask."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from models.networks.folding import fold_norm, fold_trunks
from models.networks.grid_students import GridStudentConfig
from models.networks.layers.efficientnet_lite import EfficientNetLite
from models.networks.layers.mobilenet import MobileNetTrunk
from models.networks.layers.resnet import ResNetTrunk
from models.networks.layers.trunk import Trunk
from models.networks.part_students import PartStudentConfig
from models.networks.protocol import Extra, StudentPair
from models.networks.student_forms import StudentFormUnknown, student_form
from models.networks.vit import VitConfig
from models.networks.vit_students import VitStudentConfig

GRID = GridStudentConfig(size_px=32, widths=(4, 8), grid=2, channels=3, levels=2)
VIT = VitStudentConfig(VitConfig(size_px=32, dim=12, depth=2, heads=3, patch_px=8), cls_dim=6, grid=2, channels=3)
PARTS = PartStudentConfig(size_px=32, width=0.1, depth=0.4, grid=3, channels=2, kind_dim=5)
FORMS: dict[str, GridStudentConfig | PartStudentConfig | VitStudentConfig] = {
    "grid": GRID,
    "two trunks": replace(GRID, shared_trunk=False),
    "mobile": replace(GRID, trunk="mobilenet_v2", widths=(4, 6, 8)),
    "parts": PARTS,
    "parts, one stem each": replace(PARTS, own_stages=0),
    "vit": VIT,
    "cls alone": replace(VIT, grid=0),
    "shared vit": replace(VIT, shared_encoder=True),
}
EVERYTHING: frozenset[Extra] = frozenset({"feature_maps", "attention"})


def shaken(pair: StudentPair) -> StudentPair:
    """Statistics and scales that would be noticed if they were lost."""
    for module in pair.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(std=0.3)
            module.running_var.uniform_(0.5, 2.0)
    return pair.eval()


@pytest.fixture(params=sorted(FORMS))
def pair(request: pytest.FixtureRequest) -> StudentPair:
    torch.manual_seed(0)
    return shaken(FORMS[request.param].build())


@torch.no_grad()
def test_embeddings_have_the_announced_length_and_norm(pair: StudentPair) -> None:
    images = torch.randn(3, 3, pair.config.size_px, pair.config.size_px)
    for student in (pair.sketch, pair.photo):
        rows = student(images)
        assert rows.shape == (3, pair.config.embedding_dim)
        torch.testing.assert_close(rows.norm(dim=1), torch.ones(3))
        torch.testing.assert_close(student.head(student.cells(images)), rows)
        assert not any(torch.equal(rows[0], rows[n]) for n in (1, 2))


@torch.no_grad()
def test_encoding_both_at_once_is_encoding_each(pair: StudentPair) -> None:
    sketches, photos = torch.randn(4, 3, 32, 32), torch.randn(2, 3, 32, 32)
    together = pair.encode_pair(sketches, photos, EVERYTHING)
    apart = (pair.sketch.encode(sketches, EVERYTHING), pair.photo.encode(photos, EVERYTHING))
    for one, other in zip(together, apart, strict=True):
        torch.testing.assert_close(one.cells, other.cells)
        assert len(one.feature_maps) == len(other.feature_maps) > 0
        for level, expected in zip(one.feature_maps, other.feature_maps, strict=True):
            torch.testing.assert_close(level, expected)


@torch.no_grad()
def test_named_outputs_are_there_when_requested(pair: StudentPair) -> None:
    images = torch.randn(2, 3, 32, 32)
    plain, full = pair.sketch.encode(images), pair.sketch.encode(images, EVERYTHING)
    assert plain.feature_maps == ()
    assert plain.attention is None
    torch.testing.assert_close(plain.cells, full.cells)
    assert all(level.shape[0] == 2 and level.ndim == 4 for level in full.feature_maps)
    assert (full.attention is not None) == ("attention" in pair.sketch.extras)
    if full.attention is not None:
        assert full.attention.shape == (2, 3, 4, 4)
        assert (full.attention >= 0).all()
        assert (full.attention.sum(dim=(2, 3)) <= 1).all()


@torch.no_grad()
def test_folded_students_answer_the_same_without_a_batch_norm(pair: StudentPair) -> None:
    images = torch.randn(3, 3, 32, 32)
    before = {name: value.clone() for name, value in pair.state_dict().items()}
    for student in (pair.sketch, pair.photo):
        folded = student.folded()
        torch.testing.assert_close(folded(images), student(images), atol=1e-5, rtol=1e-4)
        assert not any(isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d) for part in folded.modules())
    assert all(torch.equal(value, pair.state_dict()[name]) for name, value in before.items())


@torch.no_grad()
def test_parts_are_ranges_of_the_embedding(pair: StudentPair) -> None:
    rows = pair.sketch(torch.randn(2, 3, 32, 32))
    covered = sorted(number for part in pair.parts.values() for number in range(*part.indices(rows.shape[1])))
    assert covered == list(range(rows.shape[1]))


def test_every_parameter_is_a_trunk_s_or_a_projection(pair: StudentPair) -> None:
    of_trunks = [parameter for trunk in pair.trunks() for parameter in trunk.parameters()]
    of_heads = pair.projections()
    assert len({id(p) for p in (*of_trunks, *of_heads)}) == len(of_trunks) + len(of_heads)
    assert {id(p) for p in pair.parameters()} == {id(p) for p in (*of_trunks, *of_heads)}


@pytest.mark.parametrize("name", sorted(FORMS))
def test_a_form_is_found_in_its_experiment(name: str) -> None:
    form = FORMS[name]
    assert student_form({"student": asdict(form)}) == form


def test_forms_of_before_the_schema_version_are_found_too() -> None:
    old_grid, old_vit = asdict(GRID), asdict(VIT)
    del old_grid["form"], old_vit["form"]
    assert student_form({"student": old_grid, "vit_student": None}) == GRID
    assert student_form({"student": None, "vit_student": old_vit}) == VIT
    for experiment in ({}, {"student": None}, {"student": {"form": "circle"}}, {"student": {"grid": "x"}}):
        with pytest.raises(StudentFormUnknown):
            student_form(experiment)


TRUNKS: list[Trunk] = [ResNetTrunk((4, 8, 6)), MobileNetTrunk((4, 6, 8, 8, 4)), EfficientNetLite(0.1, 0.4)]
TRUNK_NAMES = ["resnet", "mobilenet", "efficientnet"]


@pytest.mark.parametrize("trunk", TRUNKS, ids=TRUNK_NAMES)
def test_trunks_give_a_map_of_each_stage_and_freeze_from_the_front(trunk: Trunk) -> None:
    images = torch.randn(1, 3, 64, 64)
    maps = trunk.features(images)
    torch.testing.assert_close(trunk(images), maps[-1])
    assert maps[-1].shape[1] == trunk.channels_out
    sides = [level.shape[-1] for level in maps]
    assert sides == sorted(sides, reverse=True)
    names = [name for name, _ in trunk.named_parameters()]
    trunk.freeze(0)
    assert all(parameter.requires_grad for parameter in trunk.parameters())
    trunk.freeze(2)
    learning = {name for name, parameter in trunk.named_parameters() if parameter.requires_grad}
    assert learning
    assert learning == set(names[len(names) - len(learning) :])  # the last ones, in the order of the layers


@pytest.mark.parametrize("trunk", TRUNKS, ids=TRUNK_NAMES)
@torch.no_grad()
def test_folding_a_trunk_leaves_its_function(trunk: Trunk) -> None:
    torch.manual_seed(1)
    for module in trunk.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.2)
    images = torch.randn(2, 3, 32, 32)
    expected = trunk.eval()(images)
    torch.testing.assert_close(fold_trunks(trunk)(images), expected, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_a_norm_without_scale_folds_into_the_projection_behind_it() -> None:
    torch.manual_seed(2)
    norm, project = nn.BatchNorm2d(5, affine=False).eval(), nn.Conv2d(5, 3, 1, bias=False)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2.0)
    cells = torch.randn(2, 5, 4, 4)
    expected = F.conv2d(
        (cells - norm.running_mean.view(-1, 1, 1)) / (norm.running_var.view(-1, 1, 1) + norm.eps).sqrt(), project.weight
    )
    torch.testing.assert_close(fold_norm(norm, project)(cells), expected, atol=1e-5, rtol=1e-5)
