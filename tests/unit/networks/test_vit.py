from __future__ import annotations

import math

import pytest
import torch

from models.networks.layers.attention import Block
from models.networks.layers.patch_embed import resize_positions
from models.networks.layers.resnet import ResNetTrunk
from models.networks.vit import PublishedWeightsUnfit, Vit, VitConfig, token_map
from models.networks.vit_students import VitStudentConfig, VitStudents

TINY = VitConfig(size_px=32, dim=24, depth=2, heads=3, patch_px=8)
TINY_HYBRID = VitConfig(size_px=64, dim=24, depth=1, heads=3, widths=(4, 8), grid=4)


def timm_shapes(dim: int, depth: int) -> dict[str, tuple[int, ...]]:
    """What timm's vit_*_patch16_224 state dicts hold, classifier left out: the architecture spelled out."""
    shapes: dict[str, tuple[int, ...]] = {
        "cls_token": (1, 1, dim),
        "pos_embed": (1, 1 + 14 * 14, dim),
        "patch_embed.proj.weight": (dim, 3, 16, 16),
        "patch_embed.proj.bias": (dim,),
        "norm.weight": (dim,),
        "norm.bias": (dim,),
    }
    for number in range(depth):
        for name, shape in {
            "norm1.weight": (dim,),
            "norm1.bias": (dim,),
            "attn.qkv.weight": (3 * dim, dim),
            "attn.qkv.bias": (3 * dim,),
            "attn.proj.weight": (dim, dim),
            "attn.proj.bias": (dim,),
            "norm2.weight": (dim,),
            "norm2.bias": (dim,),
            "mlp.fc1.weight": (4 * dim, dim),
            "mlp.fc1.bias": (4 * dim,),
            "mlp.fc2.weight": (dim, 4 * dim),
            "mlp.fc2.bias": (dim,),
        }.items():
            shapes[f"blocks.{number}.{name}"] = shape
    return shapes


@pytest.mark.parametrize(("dim", "heads", "millions"), [(192, 3, 5.5), (384, 6, 21.7), (768, 12, 85.8)])
def test_keys_and_shapes_are_those_of_the_published_weights(dim: int, heads: int, millions: float) -> None:
    with torch.device("meta"):
        vit = Vit(VitConfig(dim=dim, heads=heads))
    shapes = {name: tuple(value.shape) for name, value in vit.state_dict().items()}
    assert shapes == timm_shapes(dim, 12)
    assert sum(math.prod(shape) for shape in shapes.values()) == pytest.approx(millions * 1e6, rel=0.01)


def test_forward_against_the_definition_one_token_at_a_time() -> None:
    torch.manual_seed(0)
    vit = Vit(TINY).double()
    for parameter in vit.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    image = torch.randn(1, 3, 32, 32, dtype=torch.float64)
    weights = vit.state_dict()
    patch = weights["patch_embed.proj.weight"].flatten(1)
    tokens = [weights["cls_token"][0, 0]]
    for row in range(4):
        for column in range(4):
            pixels = image[0, :, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8].flatten()
            tokens.append(patch @ pixels + weights["patch_embed.proj.bias"])
    x = torch.stack(tokens) + weights["pos_embed"][0]
    for number in range(2):
        x = naive_block(x, {k.split(".", 2)[2]: v for k, v in weights.items() if k.startswith(f"blocks.{number}.")})
    x = naive_norm(x, weights["norm.weight"], weights["norm.bias"])
    assert torch.allclose(vit(image)[0], x, atol=1e-10)


def naive_norm(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    rows = [(row - row.mean()) / (row.var(unbiased=False) + 1e-6).sqrt() * weight + bias for row in x]
    return torch.stack(rows)


def naive_block(x: torch.Tensor, w: dict[str, torch.Tensor]) -> torch.Tensor:
    normed = naive_norm(x, w["norm1.weight"], w["norm1.bias"])
    qkv = normed @ w["attn.qkv.weight"].T + w["attn.qkv.bias"]
    mixed = torch.zeros_like(x)
    for head in range(3):
        q, k, v = (qkv[:, part * 24 + head * 8 : part * 24 + head * 8 + 8] for part in range(3))
        for i in range(len(x)):
            share = torch.softmax(torch.stack([q[i] @ key / 8**0.5 for key in k]), 0)
            mixed[i, head * 8 : head * 8 + 8] = sum(s * value for s, value in zip(share, v, strict=True))
    x = x + mixed @ w["attn.proj.weight"].T + w["attn.proj.bias"]
    hidden = naive_norm(x, w["norm2.weight"], w["norm2.bias"]) @ w["mlp.fc1.weight"].T + w["mlp.fc1.bias"]
    hidden = hidden * 0.5 * (1 + torch.erf(hidden / 2**0.5))
    return x + hidden @ w["mlp.fc2.weight"].T + w["mlp.fc2.bias"]


def test_published_weights_load_without_their_head_and_at_another_size() -> None:
    torch.manual_seed(0)
    published = {**Vit(TINY).state_dict(), "head.weight": torch.zeros(10, 24), "head.bias": torch.zeros(10)}
    larger = Vit(VitConfig(size_px=48, dim=24, depth=2, heads=3, patch_px=8))
    larger.load_published(published)
    assert torch.equal(larger.state_dict()["blocks.1.mlp.fc2.weight"], published["blocks.1.mlp.fc2.weight"])
    assert torch.equal(larger.pos_embed[:, :1], published["pos_embed"][:, :1])
    # The same as letting the smaller one interpolate by itself.
    smaller = Vit(TINY)
    smaller.load_published(published)
    image = torch.randn(2, 3, 48, 48)
    assert torch.allclose(larger(image), smaller(image), atol=1e-6)


def test_weights_of_another_width_are_refused() -> None:
    with pytest.raises(PublishedWeightsUnfit, match="do not fit"):
        Vit(TINY).load_published(Vit(VitConfig(size_px=32, dim=12, depth=2, heads=3, patch_px=8)).state_dict())


def test_positions_keep_what_is_linear_when_resized() -> None:
    rows, columns = torch.meshgrid(torch.arange(4.0), torch.arange(4.0), indexing="ij")
    positions = torch.cat([torch.tensor([[[7.0, 7.0]]]), torch.stack([rows, columns], 2).view(1, 16, 2)], dim=1)
    resized = resize_positions(positions, 8, 8)
    assert torch.equal(resized[0, 0], torch.tensor([7.0, 7.0]))
    inner = resized[0, 1:].view(8, 8, 2)[3:5, 3:5]  # away from the border a ramp stays a ramp, of half the slope
    assert torch.allclose(inner[1, 0] - inner[0, 0], torch.tensor([0.5, 0.0]), atol=0.05)
    assert resize_positions(positions, 4, 4) is positions


def test_hybrid_tokens_are_cells_of_the_trunk_s_map() -> None:
    torch.manual_seed(0)
    vit = Vit(TINY_HYBRID)
    images = torch.randn(2, 3, 64, 64)
    assert vit(images).shape == (2, 17, 24)
    trunk = vit.patch_embed.backbone
    assert isinstance(trunk, ResNetTrunk)
    cells = torch.nn.functional.adaptive_avg_pool2d(trunk(images), 4)
    expected = vit.patch_embed.proj(cells)
    assert torch.allclose(vit.patch_embed(images), expected)
    assert {name for name in vit.state_dict() if name.startswith("patch_embed.backbone.")} == {
        f"patch_embed.backbone.{name}" for name in trunk.state_dict()
    }


def test_token_map_puts_tokens_where_they_came_from() -> None:
    tokens = torch.arange(10.0).view(1, 10, 1)
    assert token_map(tokens)[0, 0].tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


def test_attention_map_is_what_the_cls_reads_in_the_last_block() -> None:
    torch.manual_seed(0)
    vit = Vit(VitConfig(size_px=32, dim=24, depth=1, heads=3, patch_px=8))
    images = torch.randn(2, 3, 32, 32)
    shown = vit.attention(images)
    assert shown.shape == (2, 3, 4, 4)
    cells = vit.patch_embed(images).flatten(2).transpose(1, 2)
    tokens = torch.cat([vit.cls_token.expand(2, -1, -1), cells], dim=1) + vit.pos_embed
    block = vit.blocks[0]
    assert isinstance(block, Block)
    qkv = block.attn.qkv(block.norm1(tokens))
    for head in range(3):
        q, k = qkv[:, 0, 8 * head : 8 * head + 8], qkv[:, :, 24 + 8 * head : 32 + 8 * head]
        shares = torch.softmax(torch.einsum("bd,bnd->bn", q, k) / 8**0.5, dim=1)
        assert torch.allclose(shown[:, head].flatten(1), shares[:, 1:], atol=1e-6)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")  # of torch's own exporter
def test_students_export_with_a_free_batch_size() -> None:
    torch.manual_seed(0)
    students = VitStudents(VitStudentConfig(TINY_HYBRID, cls_dim=8, grid=2, channels=3)).eval()
    batch = torch.export.Dim("batch")
    exported = torch.export.export(students.sketch, (torch.zeros(2, 3, 64, 64),), dynamic_shapes=({0: batch},))
    images = torch.randn(5, 3, 64, 64)
    rows = students.sketch(images)
    assert rows.shape == (5, students.config.embedding_dim) == (5, 8 + 12)
    assert torch.allclose(rows.norm(dim=1), torch.ones(5), atol=1e-5)
    assert torch.allclose(exported.module()(images), rows, atol=1e-6)


def test_shared_students_differ_in_their_heads_alone() -> None:
    torch.manual_seed(0)
    apart, shared = (VitStudents(VitStudentConfig(TINY_HYBRID, cls_dim=8, shared_encoder=s)) for s in (False, True))
    assert len(apart.trunks()) == 2
    assert len(shared.trunks()) == 1
    assert len(apart.projections()) == len(shared.projections()) == 8
    images = torch.randn(2, 3, 64, 64)
    sketch_cells, photo_cells = (encoded.cells for encoded in shared.encode_pair(images, images))
    assert torch.equal(sketch_cells, photo_cells)
    assert not torch.allclose(shared.sketch.head(sketch_cells), shared.photo.head(photo_cells))
