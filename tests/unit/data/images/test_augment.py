"""Augmentation of pairs: what is shared, what the sketch has alone, and that its short forms equal torch's."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from models.data.images.augment import AugmentConfig, _bend, _grid, draw_augmentation

STILL = AugmentConfig(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


def page(count: int, channels: int) -> torch.Tensor:
    images = torch.ones(count, channels, 40, 40)
    images[:, :, 10:20, 5:30] = 0.0
    return images


def test_nothing_happens_without_ranges_but_the_flip() -> None:
    sketches, photos = page(16, 1), page(16, 3)
    drawn, seen = draw_augmentation(16, STILL, torch.Generator().manual_seed(0)).apply(sketches, photos, 40)
    kept = torch.tensor([torch.allclose(row, page(1, 1)[0], atol=1e-4) for row in drawn])
    flipped = torch.tensor([torch.allclose(row, page(1, 1)[0].flip(-1), atol=1e-4) for row in drawn])
    assert (kept ^ flipped).all()
    assert kept.any()
    assert flipped.any()
    # Sketch and photo of a pair are flipped together.
    assert torch.allclose(drawn.expand(-1, 3, -1, -1), seen, atol=1e-4)


def test_the_short_ways_lead_where_torch_s_long_ones_do() -> None:
    generator = torch.Generator().manual_seed(2)
    place = torch.randn(4, 2, 3, generator=generator)
    assert torch.allclose(_grid(place, 23), F.affine_grid(place, [4, 1, 23, 23], align_corners=False), atol=1e-5)
    wobble = torch.randn(4, 2, 5, 5, generator=generator)
    bent = F.interpolate(wobble, size=(23, 23), mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
    assert torch.allclose(_bend(wobble, 23), bent, atol=1e-5)


def test_a_category_is_flipped_as_one() -> None:
    groups = torch.tensor([0] * 8 + [1] * 8 + [2] * 8)
    drawn, _ = draw_augmentation(24, STILL, torch.Generator().manual_seed(1), groups).apply(
        page(24, 1), page(24, 3), 40
    )
    flipped = torch.tensor([torch.allclose(row, page(1, 1)[0].flip(-1), atol=1e-4) for row in drawn]).view(3, 8)
    assert (flipped.all(dim=1) | ~flipped.any(dim=1)).all()
    assert flipped.any()
    assert not flipped.all()


def test_a_part_of_a_batch_sees_what_the_whole_would() -> None:
    augmentation = draw_augmentation(12, AugmentConfig(), torch.Generator().manual_seed(5))
    sketches, photos = torch.rand(12, 1, 40, 40), torch.rand(12, 3, 40, 40)
    before = sketches.clone(), photos.clone()
    whole = augmentation.apply(sketches, photos, 32)
    part = slice(4, 8)
    own = augmentation.rows(part).apply(sketches[part], photos[part], 32)
    for everything, mine in zip(whole, own, strict=True):
        assert everything.shape[-2:] == (32, 32)
        assert torch.allclose(everything[part], mine, atol=1e-6)
        assert 0 <= float(everything.min()) <= float(everything.max()) <= 1
    assert torch.equal(sketches, before[0])
    assert torch.equal(photos, before[1])


def test_a_pair_is_moved_together_by_what_an_affine_map_says() -> None:
    """A shift and nothing else: the sketch and the photo move by the same whole pixels."""
    config = AugmentConfig(0, 0, 0.25, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    augmentation = draw_augmentation(6, config, torch.Generator().manual_seed(3))
    sketches, photos = page(6, 1), page(6, 3)
    drawn, seen = augmentation.apply(sketches, photos, 40)
    assert torch.allclose(drawn.expand(-1, 3, -1, -1), seen, atol=1e-4)
    for number in range(6):
        grid = F.affine_grid(augmentation.photo_place[number : number + 1], [1, 3, 40, 40], align_corners=False)
        expected = 1 - F.grid_sample(1 - photos[number : number + 1], grid, align_corners=False)
        assert torch.allclose(seen[number], expected[0], atol=1e-5)
        assert augmentation.photo_place[number, :, 2].abs().max() <= 0.5  # 0.25 of the side, which is 2 long


def test_erased_patches_and_pens_change_the_sketch_alone() -> None:
    config = AugmentConfig(0, 0, 0, 0, 0, 0, 0, 0, 0.4, 0.4, 1.0, 0, 0)
    augmentation = draw_augmentation(60, config, torch.Generator().manual_seed(4))
    sketches, photos = page(60, 1), page(60, 3)
    drawn, seen = augmentation.apply(sketches, photos, 40)
    flip = augmentation.photo_place[:, 0, 0] < 0
    plain = torch.where(flip[:, None, None, None], page(1, 3).flip(-1), page(1, 3))
    assert torch.allclose(seen, plain, atol=1e-4)
    ink, whole = (1 - drawn).sum((1, 2, 3)), (1 - page(1, 1)).sum()
    area = (augmentation.erase[:, 2:] - augmentation.erase[:, :2]).prod(dim=1)
    assert ((area > 0) & (area <= 0.24**2 + 1e-6)).all()
    for pen, sign in ((1, 1), (-1, -1)):
        chosen = augmentation.pen == pen
        assert chosen.any()
        assert ((ink[chosen] - whole).sign().float().mean() * sign) > 0  # erasing takes less than the pen adds
    assert {-1, 0, 1} == set(augmentation.pen.tolist())


def test_shares_of_a_batch_are_those_of_the_config() -> None:
    config = AugmentConfig(thicken_share=0.25, thin_share=0.15, erase_share=0.25, grey_share=0.15)
    augmentation = draw_augmentation(4000, config, torch.Generator().manual_seed(6))
    assert (augmentation.pen > 0).float().mean() == pytest.approx(0.25, abs=0.03)
    assert (augmentation.pen < 0).float().mean() == pytest.approx(0.15, abs=0.03)
    assert augmentation.grey.float().mean() == pytest.approx(0.15, abs=0.03)
    erased = augmentation.erase[:, 2] > augmentation.erase[:, 0]
    assert erased.float().mean() == pytest.approx(0.25, abs=0.03)
    assert augmentation.wobble.abs().max() <= 2 * config.hand_wobble
