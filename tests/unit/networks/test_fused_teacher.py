from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from models.networks.frozen import FrozenTeacher
from models.networks.fused_teacher import Teacher, TeacherConfig
from models.networks.layers.cross_attention import CrossModalRead, XMABlock
from models.networks.vit import VitConfig

ENCODER = VitConfig(size_px=16, dim=12, depth=1, heads=3, patch_px=8)


@pytest.fixture
def teacher() -> Teacher:
    torch.manual_seed(0)
    return spread_out(Teacher(TeacherConfig(ENCODER, fusion_blocks=3)))


def spread_out(module: Teacher) -> Teacher:
    """Weights as far from their shy start as training would take them, or all answers would look alike."""
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.4)
    return module


def naive_read(read: CrossModalRead, cls: Tensor, others: Tensor, heads: int) -> Tensor:
    """One pair, one token at a time: (D,), (N, D) -> (D,)."""
    query = read.transform.weight @ cls + read.transform.bias
    sequence = []
    for token in (query, *others):
        scaled = (token - token.mean()) / (token.var(unbiased=False) + 1e-6).sqrt()
        sequence.append(scaled * read.norm.weight + read.norm.bias)
    width = len(cls) // heads
    gathered = []
    for head in range(heads):
        part = slice(head * width, (head + 1) * width)
        q = (read.attend.q.weight @ sequence[0])[part]
        keys = [(read.attend.k.weight @ token)[part] for token in sequence]
        values = [(read.attend.v.weight @ token)[part] for token in sequence]
        shares = torch.softmax(torch.stack([q @ key for key in keys]) / width**0.5, dim=0)
        gathered.append(sum((s * v for s, v in zip(shares, values, strict=True)), torch.zeros(width).to(q)))
    attended = read.attend.proj.weight @ torch.cat(gathered) + read.attend.proj.bias
    return read.project.weight @ (query + attended) + read.project.bias


def test_a_block_against_the_paper_one_token_at_a_time() -> None:
    torch.manual_seed(1)
    block = XMABlock(12, heads=3).double()
    photo, sketch = torch.randn(2, 5, 12, dtype=torch.float64), torch.randn(2, 7, 12, dtype=torch.float64)
    new_photo, new_sketch = block(photo, sketch)
    for i in range(2):
        s0 = naive_read(block.sketch_reads_photo, sketch[i, 0], photo[i, 1:], 3)
        p0 = naive_read(block.photo_reads_sketch, photo[i, 0], torch.cat([s0[None], sketch[i, 1:]]), 3)
        assert torch.allclose(new_sketch[i, 0], s0, atol=1e-10)
        assert torch.allclose(new_photo[i, 0], p0, atol=1e-10)
    assert torch.equal(new_photo[:, 1:], photo[:, 1:])
    assert torch.equal(new_sketch[:, 1:], sketch[:, 1:])


def test_the_order_of_the_two_directions_matters() -> None:
    torch.manual_seed(1)
    block = XMABlock(12, heads=3)
    photo, sketch = torch.randn(1, 5, 12), torch.randn(1, 5, 12)
    moved = photo.clone()
    moved[:, 0] += 1  # the photo's CLS: the sketch never sees it, the photo's own answer changes
    assert torch.equal(block(photo, sketch)[1], block(moved, sketch)[1])
    assert not torch.allclose(block(photo, sketch)[0][:, 0], block(moved, sketch)[0][:, 0])
    moved = photo.clone()
    moved[:, 1:] += torch.randn(1, 4, 12)  # its patches: the sketch's CLS reads them and hands them on
    assert not torch.allclose(block(photo, sketch)[1][:, 0], block(moved, sketch)[1][:, 0])
    assert not torch.allclose(block(photo, sketch)[0][:, 0], block(moved, sketch)[0][:, 0])


def test_only_the_output_projection_of_the_attention_has_a_bias() -> None:
    read = XMABlock(12, 3).photo_reads_sketch
    assert {name for name, _ in read.attend.named_parameters()} == {
        "q.weight", "k.weight", "v.weight", "proj.weight", "proj.bias",
    }  # fmt: skip
    assert read.transform.bias is not None
    assert read.project.bias is not None


def test_attention_weights_are_those_of_the_answer() -> None:
    torch.manual_seed(2)
    read = CrossModalRead(12, 3)
    cls, others = torch.randn(2, 12), torch.randn(2, 6, 12)
    shares = read.weights(cls, others)
    assert shares.shape == (2, 3, 7)
    assert torch.allclose(shares.sum(2), torch.ones(2, 3))
    sequence = read.norm(torch.cat([read.transform(cls)[:, None], others], dim=1))
    values = read.attend.v(sequence).unflatten(2, (3, 4))
    gathered = torch.einsum("bhn,bnhd->bhd", shares, values).flatten(1)
    assert torch.allclose(read.project(read.transform(cls) + read.attend.proj(gathered)), read(cls, others), atol=1e-5)


def test_every_pair_gets_targets_of_its_own(teacher: Teacher) -> None:
    torch.manual_seed(3)
    photos, first, second = (torch.randn(4, 3, 16, 16) for _ in range(3))
    targets = FrozenTeacher(teacher)(photos, first, second)
    for rows in (targets.photo_first, targets.sketch_first, targets.photo_second, targets.sketch_second):
        assert rows.shape == (4, 12)
        assert torch.allclose(rows.norm(dim=1), torch.ones(4), atol=1e-5)
        assert (torch.pdist(rows) > 1e-2).all()  # a constant target teaches nothing
    # Fused: either vector depends on both images.
    assert (targets.photo_first - targets.photo_second).norm(dim=1).min() > 1e-3
    other_photos = FrozenTeacher(teacher)(photos.flip(0), first, second)
    assert (targets.sketch_first - other_photos.sketch_first).norm(dim=1).min() > 1e-3
    # Encoding the photo once for both sketches changes nothing.
    r_p, r_s = teacher(photos, second)
    assert torch.allclose(nn.functional.normalize(r_p, dim=1), targets.photo_second, atol=1e-5)
    assert torch.allclose(nn.functional.normalize(r_s, dim=1), targets.sketch_second, atol=1e-5)


def test_without_fusion_each_vector_knows_its_own_image_alone() -> None:
    torch.manual_seed(0)
    plain = spread_out(Teacher(TeacherConfig(ENCODER, fusion_blocks=0)))
    photos, sketches = torch.randn(2, 3, 16, 16), torch.randn(2, 3, 16, 16)
    r_p, r_s = plain(photos, sketches)
    assert torch.allclose(plain(photos, sketches.flip(0))[0], r_p)
    assert torch.allclose(plain(photos.flip(0), sketches)[1], r_s)


def test_grid_beside_the_cls() -> None:
    torch.manual_seed(0)
    config = TeacherConfig(ENCODER, fusion_blocks=1, grid=2, channels=5, grid_share=0.25)
    teacher = Teacher(config).eval()
    r_p, r_s = teacher(torch.randn(3, 3, 16, 16), torch.randn(3, 3, 16, 16))
    assert r_p.shape == r_s.shape == (3, config.embedding_dim) == (3, 12 + 20)
    for rows in (r_p, r_s):
        assert torch.allclose(rows[:, :12].norm(dim=1), torch.full((3,), 0.75**0.5), atol=1e-5)
        assert torch.allclose(rows[:, 12:].norm(dim=1), torch.full((3,), 0.5), atol=1e-5)
    assert len(teacher.grid_parameters()) == 1


def test_a_frozen_teacher_stays_frozen(teacher: Teacher) -> None:
    frozen = FrozenTeacher(teacher)
    nn.ModuleList([frozen]).train()
    assert not any(module.training for module in frozen.modules())
    assert not any(parameter.requires_grad for parameter in frozen.parameters())
    images = torch.randn(2, 3, 16, 16, requires_grad=True)
    assert not frozen(images, images, images).photo_first.requires_grad


def test_attention_maps_show_what_each_side_reads_of_the_other(teacher: Teacher) -> None:
    photos, sketches = torch.randn(2, 3, 16, 16), torch.randn(2, 3, 16, 16)
    maps = teacher.attention(photos, sketches)
    assert [(one.shape, other.shape) for one, other in maps] == [((2, 3, 2, 2), (2, 3, 2, 2))] * 3
    photo, sketch = teacher.photo_encoder(photos), teacher.sketch_encoder(sketches)
    block = teacher.fusion[0]
    assert isinstance(block, XMABlock)
    shares = block.sketch_reads_photo.weights(sketch[:, 0], photo[:, 1:])
    assert torch.allclose(maps[0][0].flatten(2), shares[:, :, 1:])
    shares = block.photo_reads_sketch.weights(photo[:, 0], block(photo, sketch)[1])
    assert torch.allclose(maps[0][1].flatten(2), shares[:, :, 2:])
