"""Students of two parts and their trunk, against networks written from the definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.networks.folding import FoldedLinear
from models.networks.layers.area_pool import area_pool
from models.networks.layers.efficientnet_lite import Block, EfficientNetLite, SameConv
from models.networks.part_students import PartStudentConfig, PartStudents

SMALL = PartStudentConfig(size_px=48, width=0.1, depth=0.4, grid=2, channels=3, kind_dim=4, layout_weight=0.6)


def published(trunk: EfficientNetLite) -> dict[str, Tensor]:
    """A state dict with the published names: convolutions without bias, norms with statistics of their own."""
    state: dict[str, Tensor] = {}

    def add(conv: nn.Conv2d, name: str, norm: str) -> None:
        channels = conv.out_channels
        state[f"{name}.weight"] = torch.randn_like(conv.weight) / conv.weight[0].numel() ** 0.5
        state[f"{norm}.weight"] = torch.rand(channels) + 0.5
        state[f"{norm}.bias"] = torch.randn(channels)
        state[f"{norm}.running_mean"] = torch.randn(channels)
        state[f"{norm}.running_var"] = torch.rand(channels) + 0.5

    add(trunk.stem.conv, "_conv_stem", "_bn0")
    add(trunk.head.conv, "_conv_head", "_bn1")
    for number, block in enumerate(trunk.blocks):
        assert isinstance(block, Block)
        if block.expand is not None:
            add(block.expand.conv, f"_blocks.{number}._expand_conv", f"_blocks.{number}._bn0")
        add(block.depthwise.conv, f"_blocks.{number}._depthwise_conv", f"_blocks.{number}._bn1")
        add(block.project.conv, f"_blocks.{number}._project_conv", f"_blocks.{number}._bn2")
    return state


def reference(state: dict[str, Tensor], trunk: EfficientNetLite, x: Tensor) -> Tensor:
    """The published network: convolution, then BatchNorm in eval mode, padded as TensorFlow does."""

    def step(x: Tensor, name: str, norm: str, stride: int, groups: int) -> Tensor:
        weight = state[f"{name}.weight"]
        kernel = weight.shape[-1]
        out = -(-x.shape[-1] // stride)
        before = max((out - 1) * stride + kernel - x.shape[-1], 0)
        x = F.pad(x, (before // 2, before - before // 2, before // 2, before - before // 2))
        x = F.conv2d(x, weight, stride=stride, groups=groups)
        names = ("running_mean", "running_var", "weight", "bias")
        mean, var, scale, bias = (state[f"{norm}.{part}"] for part in names)
        return F.batch_norm(x, mean, var, scale, bias, training=False, eps=1e-3)

    x = F.relu6(step(x, "_conv_stem", "_bn0", 2, 1))
    for number, block in enumerate(trunk.blocks):
        assert isinstance(block, Block)
        name, hidden = f"_blocks.{number}.", x
        if block.expand is not None:
            hidden = F.relu6(step(hidden, f"{name}_expand_conv", f"{name}_bn0", 1, 1))
        stride = block.depthwise.conv.stride[0]
        hidden = F.relu6(step(hidden, f"{name}_depthwise_conv", f"{name}_bn1", stride, hidden.shape[1]))
        hidden = step(hidden, f"{name}_project_conv", f"{name}_bn2", 1, 1)
        x = x + hidden if hidden.shape == x.shape else hidden
    return F.relu6(step(x, "_conv_head", "_bn1", 1, 1))


@torch.no_grad()
@pytest.mark.parametrize("side", [64, 41])
def test_published_weights_compute_what_they_did_with_their_norms(side: int) -> None:
    torch.manual_seed(0)
    trunk = EfficientNetLite(0.1, 0.4)
    state = published(trunk)
    trunk.load_published(state)
    images = torch.randn(2, 3, side, side)
    torch.testing.assert_close(trunk(images), reference(state, trunk, images), atol=1e-4, rtol=1e-4)
    del state["_blocks.2._bn1.running_var"]
    with pytest.raises(KeyError):
        trunk.load_published(state)


def test_lite1_has_the_published_blocks_and_strides() -> None:
    trunk = EfficientNetLite()
    strided = [n for n, block in enumerate(trunk.blocks) if isinstance(block, Block) and _stride(block) == 2]
    assert len(trunk.blocks) == 21
    assert strided == [1, 4, 7, 15]
    assert trunk.widths == (16, 24, 40, 80, 112, 192, 320)


def _stride(block: Block) -> int:
    return block.depthwise.conv.stride[0]


@pytest.mark.parametrize(("kernel", "groups", "dtype"), [(1, 1, torch.bfloat16), (3, 8, torch.float32)])
def test_autocast_on_a_cpu_leaves_depthwise_convolutions_in_single_precision(
    kernel: int, groups: int, dtype: torch.dtype
) -> None:
    torch.manual_seed(0)
    layer, x = SameConv(8, 8, kernel, 1, groups, relu6=True), torch.randn(2, 8, 9, 9)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        computed = layer(x)
        of_half = layer(x.bfloat16())
    assert computed.dtype == of_half.dtype == dtype
    exact = layer(x)
    assert torch.equal(computed, exact) == (dtype == torch.float32)
    torch.testing.assert_close(computed.float(), exact, atol=0.05, rtol=0.05)


@torch.no_grad()
def test_a_resnet_teacher_is_folded_to_the_same_function_and_has_stages_of_its_own() -> None:
    torch.manual_seed(5)
    students = PartStudentConfig(size_px=64, trunk="resnet18", grid=2, channels=3, kind_dim=4, own_stages=1).build()
    for name, value in students.state_dict().items():
        if name.endswith("running_mean"):
            value.normal_(std=0.1)
        elif name.endswith("running_var"):
            value.uniform_(0.5, 1.5)
    students.eval()
    images = torch.randn(2, 3, 64, 64)
    for student in (students.sketch, students.photo):
        torch.testing.assert_close(student.folded()(images), student(images), atol=1e-5, rtol=1e-4)
    drawn, seen = (dict(student.trunk.named_parameters()) for student in (students.sketch, students.photo))
    own = {name for name, value in drawn.items() if value is not seen[name]}
    assert own == {name for name in drawn if name.startswith(("conv1", "bn1", "layer1"))}
    of_trunks = {id(value) for part in students.trunks() for value in part.parameters()}
    assert of_trunks == {id(value) for trunk in (drawn, seen) for value in trunk.values()}
    assert students.last_convolution() == []


def test_domains_share_all_but_their_lowest_stages() -> None:
    pair = PartStudents(SMALL)
    own = set(pair.sketch.trunk.lowest(2).parameters())
    assert own
    assert not own & set(pair.photo.trunk.parameters())
    assert set(pair.sketch.trunk.parameters()) - own < set(pair.photo.trunk.parameters())
    assert len(list(pair.sketch.trunk.parameters())) == len(list(pair.photo.trunk.parameters()))


@pytest.mark.parametrize(("side", "grid"), [(8, 5), (3, 2), (10, 5), (4, 5)])
def test_every_cell_is_the_mean_of_its_area(side: int, grid: int) -> None:
    """Each place cut into grid x grid equal bits: no bit then lies in two cells."""
    features = torch.randn(2, 3, side, side, dtype=torch.float64)
    bits = np.kron(features.numpy(), np.ones((grid, grid)))
    expected = bits.reshape(2, 3, grid, side, grid, side).mean(axis=(3, 5))
    np.testing.assert_allclose(area_pool(features, grid).numpy(), expected, atol=1e-6)


@torch.no_grad()
def test_an_embedding_is_both_parts_by_their_weights() -> None:
    torch.manual_seed(1)
    pair = PartStudents(SMALL).eval()
    head = pair.photo.head
    rows = pair.photo(torch.randn(4, 3, 48, 48))
    layout, kind = (rows[:, pair.parts[name]] for name in ("layout", "kind"))
    assert (layout.shape[1], kind.shape[1]) == (12, 4)
    torch.testing.assert_close(layout.norm(dim=1), torch.full((4,), 0.6))
    torch.testing.assert_close(kind.norm(dim=1), torch.full((4,), 0.8))
    assert head.parts.layout_dim == 12


@torch.no_grad()
def test_the_kind_does_not_see_where_and_the_layout_does() -> None:
    torch.manual_seed(2)
    head = PartStudents(SMALL).eval().sketch.head
    grid = torch.randn(1, head.layout.norm.num_features, 2, 2)
    pooled = torch.randn(1, head.kind.norm.num_features)
    upright = head(torch.cat([grid.flatten(1), pooled], dim=1))
    mirrored = head(torch.cat([grid.flip(3).flatten(1), pooled], dim=1))
    torch.testing.assert_close(upright[:, 12:], mirrored[:, 12:])
    expected = upright[:, :12].reshape(1, 3, 2, 2).flip(3).flatten(1)
    torch.testing.assert_close(mirrored[:, :12], expected)
    assert not torch.allclose(upright[:, :12], mirrored[:, :12])


@torch.no_grad()
def test_a_folded_norm_survives_saturated_channels_and_weights_in_half() -> None:
    torch.manual_seed(3)
    norm, project = nn.BatchNorm1d(64, affine=False).eval(), nn.Linear(64, 3, bias=False)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    norm.running_mean.uniform_(5.9, 6.0)
    norm.running_var.copy_(torch.where(torch.arange(64) < 40, 1e-12, 1.0))
    rows = norm.running_mean + torch.randn(4, 64) * (norm.running_var + 1e-10).sqrt()
    expected = project.double()(norm.double()(rows.double()))
    folded = FoldedLinear(norm.float(), project.float())
    torch.testing.assert_close(folded(rows).double(), expected, atol=1e-5, rtol=1e-5)
    folded.scaled.weight.copy_(folded.scaled.weight.half())
    torch.testing.assert_close(folded(rows).double(), expected, atol=3e-3, rtol=1e-3)


@torch.no_grad()
def test_channels_that_never_varied_are_left_out_of_what_is_exported() -> None:
    torch.manual_seed(4)
    student = PartStudents(SMALL).eval().sketch
    assert isinstance(student.trunk, EfficientNetLite)
    images = torch.randn(3, 3, 48, 48)
    norm, last = student.head.kind.norm, student.trunk.widths[-1]
    assert norm.running_mean is not None
    assert norm.running_var is not None
    head = student.trunk.head.conv
    assert head.bias is not None
    dead, saturated = torch.arange(0, 900), torch.arange(900, 1000)
    head.weight[:1000] = 0.0
    head.bias[dead], head.bias[saturated] = -1.0, 7.0
    norm.running_var[last : last + 1000] = 0.0
    norm.running_var[0] = 0.0  # of the stage before, which stays
    norm.running_mean[last : last + 1000] = torch.where(torch.arange(1000) < 900, 0.0, 6.0)
    folded = student.folded()
    assert isinstance(folded.trunk, EfficientNetLite)
    assert folded.trunk.head.conv.out_channels == 280
    assert folded.kind.scaled.in_features == last + 280
    torch.testing.assert_close(folded(images), student(images), atol=1e-5, rtol=1e-5)
    assert student.trunk.head.conv.out_channels == 1280
