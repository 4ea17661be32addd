from __future__ import annotations

from pathlib import Path

import torch
from torch.nn import functional as F

from models.data.builders.synthetic import edge_drawing
from models.data.images.augment import AugmentConfig, _bend, _grid, draw_augmentation
from models.data.images.training_images import SetConfig, prepare_images

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


def test_edges_of_a_square_are_its_outline() -> None:
    photo = torch.ones(1, 3, 64, 64)
    photo[:, 0, 16:48, 16:48] = 0.2  # a change of colour alone
    ink = edge_drawing(photo, torch.tensor([1.0]), torch.tensor([0.05]))[0, 0]
    assert not ink[20:44, 20:44].any()
    assert not ink[:12].any()
    assert ink[14:18, 20:44].amax(dim=0).all()
    assert ink[20:44, 46:50].amax(dim=1).all()
    assert float(ink.mean()) < 0.06


def test_images_are_decoded_once_and_rows_belong_together(shapes_dir: Path, tmp_path: Path) -> None:
    sets = [SetConfig(folder="shapes", pool="shapes")]
    said: list[str] = []
    first = prepare_images(shapes_dir.parent, sets, 48, tmp_path / "cache", said.append)
    assert said == ["shapes: 10 photos, 12 sketches"]
    stamp = (tmp_path / "cache" / "photos.npy").stat().st_mtime_ns
    second = prepare_images(shapes_dir.parent, sets, 48, tmp_path / "cache", said.append)
    assert (tmp_path / "cache" / "photos.npy").stat().st_mtime_ns == stamp
    assert first.pools == second.pools
    assert (first.sketches == second.sketches).all()
    for pool in second.pools:
        assert len(pool.photos) == 5
        for photo, drawn, made in zip(pool.photos, pool.sketches, pool.drawings, strict=True):
            shape = second.photos[photo].min(axis=0) < 230
            for row in (*drawn, *made):
                outline = second.sketches[row] < 128
                assert outline.any()
                # The outline lies on the shape's border: it reaches no further than two pixels from the shape.
                near = torch.nn.functional.max_pool2d(torch.from_numpy(shape).float()[None], 5, 1, 2)[0] > 0
                assert near[torch.from_numpy(outline)].float().mean() > 0.95
