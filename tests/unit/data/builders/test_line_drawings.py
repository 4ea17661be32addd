"""Line drawings of photos: edges where they are, thin, as many as requested, alike for every contrast."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch.nn import functional as F

from models.data.builders.synthetic import DRAWING_STYLES, edge_drawing, line_drawings


def square(level: float = 0.2) -> torch.Tensor:
    photo = torch.ones(1, 3, 64, 64)
    photo[:, 0, 16:48, 16:48] = level  # a change of colour alone
    return photo


def draw(photo: torch.Tensor, blur_px: float = 1.0, amount: float = 0.05, focus: float | None = None) -> torch.Tensor:
    count = len(photo)
    return edge_drawing(photo, torch.full((count,), blur_px), torch.full((count,), amount), focus)


def test_edges_of_a_square_are_its_outline() -> None:
    ink = draw(square())[0, 0]
    assert not ink[20:44, 20:44].any()
    assert not ink[:12].any()
    assert ink[14:18, 20:44].amax(dim=0).all()
    assert ink[20:44, 46:50].amax(dim=1).all()
    assert set(ink.flatten().tolist()) == {0.0, 1.0}


def test_an_edge_is_one_pixel_wide() -> None:
    ink = draw(square())[0, 0]
    assert (ink[24:40, :32].sum(dim=1) == 1).all()  # each row crosses the left edge once
    assert (ink[:32, 24:40].sum(dim=0) == 1).all()


def test_contrast_does_not_decide_how_much_is_drawn() -> None:
    strong, weak = draw(square(0.2)), draw(square(0.6))
    # An edge between two pixels is drawn on either, as rounding has it: one pixel of difference is none.
    for one, other in ((strong, weak), (weak, strong)):
        assert one.sum() > 100
        assert (F.max_pool2d(one, 3, stride=1, padding=1) >= other).all()


def test_no_more_than_the_amount_is_drawn_and_the_strongest_first() -> None:
    photo = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 0.2
    photo[:, :, 32:] += 0.8
    shares = [float(draw(photo, amount=amount).mean()) for amount in (0.02, 0.06, 0.12)]
    assert shares == sorted(shares)
    assert all(share <= amount for share, amount in zip(shares, (0.02, 0.06, 0.12), strict=True))
    assert draw(photo, blur_px=3.0, amount=0.02)[0, 0, 29:35].sum() > 0.9 * draw(photo, blur_px=3.0, amount=0.02).sum()


def test_each_photo_of_a_batch_is_drawn_as_it_would_be_alone() -> None:
    generator = torch.Generator().manual_seed(1)
    photos = torch.rand(3, 3, 48, 48, generator=generator)
    blur, amount = torch.tensor([1.0, 2.5, 1.5]), torch.tensor([0.03, 0.05, 0.04])
    together = edge_drawing(photos, blur, amount)
    for number in range(3):
        alone = edge_drawing(photos[number : number + 1], blur[number : number + 1], amount[number : number + 1])
        # The kernel's radius is that of the widest in the batch; beyond 2.5 deviations it hardly weighs.
        assert (alone[0] != together[number]).float().mean() < 0.02


def test_focus_prefers_the_middle() -> None:
    photo = torch.ones(1, 3, 96, 96)
    photo[:, :, 40:56, 40:56] = 0.5
    photo[:, :, 2:10, 2:94] = 0.0  # a stronger edge near the border
    middle = (slice(36, 60), slice(36, 60))
    assert draw(photo, amount=0.02)[0, 0][middle].sum() == 0
    assert draw(photo, amount=0.02, focus=0.15)[0, 0][middle].sum() > 30


def test_a_photo_without_edges_has_no_drawing_of_its_own() -> None:
    assert not draw(torch.full((1, 3, 64, 64), 0.5)).any()
    blank = list(line_drawings([Image.new("RGB", (30, 40), "grey")]))
    assert len(blank) == len(DRAWING_STYLES)
    for drawing in blank:
        ink = np.asarray(drawing) < 128
        assert ink[:, 1:4].any(axis=1).mean() > 0.95  # the upright line that stands for "nothing"
        assert not ink[:, 6:].any()


def test_styles_of_a_photo_follow_each_other() -> None:
    def photo(box: tuple[int, int, int, int]) -> Image.Image:
        image = Image.new("RGB", (128, 64), "white")
        ImageDraw.Draw(image).rectangle(box, fill="navy")
        return image

    left, right = photo((10, 10, 50, 50)), photo((80, 10, 120, 50))
    drawings = list(line_drawings([left, right]))
    assert len(drawings) == 2 * len(DRAWING_STYLES)
    for number, drawing in enumerate(drawings):
        assert (drawing.mode, drawing.size) == ("L", (256, 256))
        columns = np.nonzero((np.asarray(drawing) < 128).any(axis=0))[0]
        assert (columns.max() < 110) if number < len(DRAWING_STYLES) else (columns.min() > 150)
    fine, coarse = (float((np.asarray(drawings[style]) < 128).mean()) for style in (0, -1))
    assert fine == pytest.approx(coarse, rel=0.3)  # one shape: every style draws its outline
