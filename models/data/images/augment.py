"""Batched augmentation: one placement shared by sketch and photo, then what only a hand does to a sketch.

The shared flip, rotation, scale and shift keep the layout that both have in common; the sketch's own small ones teach
how far a hand may be off. Chance is drawn for a whole batch at once and applied to any part of it, so processes that
share a batch see what one would have seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
from torch import Generator, Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class AugmentConfig:
    """Ranges, each drawn evenly from [-x, x], and shares of the images that something happens to.

    `rotate_deg`, `zoom`, `shift`: of the pair; `hand_...`: of the sketch on top; `hand_wobble`: smooth distortion.
    Shifts and wobble are shares of the side, zooms are exponents. `small_share`: sketches drawn small, anywhere on the
    canvas. `light`: the photo's brightness, contrast and colour balance. `darken`: pens are darker by up to this share.
    """

    rotate_deg: float = 10.0
    zoom: float = 0.15
    shift: float = 0.08
    hand_rotate_deg: float = 5.0
    hand_zoom: float = 0.08
    hand_shift: float = 0.04
    hand_wobble: float = 0.03
    small_share: float = 0.06
    thicken_share: float = 0.25
    thin_share: float = 0.15
    erase_share: float = 0.25
    light: float = 0.25
    grey_share: float = 0.15
    darken: float = 0.0


@dataclass(frozen=True)
class Augmentation:
    """What happens to each pair of a batch; every field has B rows.

    `photo_place`, `sketch_place` (B, 2, 3): affine maps from output to input coordinates in [-1, 1]. `wobble`
    (B, 2, 5, 5): displacements on a coarse grid. `pen` (B,): stroke width, -1 thinner, 0, 1 thicker. `erase` (B, 4):
    a patch as left, top, right, bottom, shares of the side, that is not drawn. `gain` (B, 3, 1, 1), `lift`
    (B, 1, 1, 1): of the photo's colours. `grey` (B, 1, 1, 1): whether it loses them. `ink` (B, 1, 1, 1): a factor on
    the darkness of lines, from 1.
    """

    photo_place: Tensor
    sketch_place: Tensor
    wobble: Tensor
    pen: Tensor
    erase: Tensor
    gain: Tensor
    lift: Tensor
    grey: Tensor
    ink: Tensor

    def rows(self, part: slice) -> Augmentation:
        """The same for a part of the batch."""
        return Augmentation(**{field.name: getattr(self, field.name)[part] for field in fields(self)})

    def to(self, device: torch.device) -> Augmentation:
        """The same on a device; chance is drawn on the CPU, so that it does not depend on the device."""
        return Augmentation(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})

    @property
    def mirrored(self) -> Tensor:
        """(B,) bool: whether the pair is flipped."""
        # A turn has a positive determinant, and a flip changes its sign.
        place = self.photo_place
        return place[:, 0, 0] * place[:, 1, 1] - place[:, 0, 1] * place[:, 1, 0] < 0

    def apply(self, sketches: Tensor, photos: Tensor, size_px: int) -> tuple[Tensor, Tensor]:
        """(B, 1, H, W), (B, 3, H, W) in [0, 1], 1 = paper -> (B, 1, S, S), (B, 3, S, S) in [0, 1]."""
        return self.apply_to_sketches(sketches, size_px), self.apply_to_photos(photos, size_px)

    def apply_to_sketches(self, sketches: Tensor, size_px: int) -> Tensor:
        """(B, 1, H, W) in [0, 1], 1 = paper -> (B, 1, S, S) in [0, 1]."""
        grid = _grid(self.sketch_place, size_px).add_(_bend(self.wobble, size_px))
        # Outside the image is paper: what is sampled is the departure from it, and outside that is zero.
        return 1 - self._redrawn(F.grid_sample(1 - sketches, grid, align_corners=False))

    def apply_to_photos(self, photos: Tensor, size_px: int) -> Tensor:
        """(B, 3, H, W) in [0, 1] -> (B, 3, S, S) in [0, 1]."""
        seen = F.grid_sample(1 - photos, _grid(self.photo_place, size_px), align_corners=False).neg_().add_(1)
        grey = self.grey.flatten()
        seen[grey] = seen[grey].mean(dim=1, keepdim=True)
        # (seen - 0.5) * gain + 0.5 + lift
        return torch.addcmul(0.5 - 0.5 * self.gain + self.lift, seen, self.gain).clamp_(0, 1)

    def _redrawn(self, ink: Tensor) -> Tensor:
        """Thicker, thinner and missing strokes: (B, 1, S, S) -> the same."""
        ink = ink.clone()
        thicker, thinner = self.pen > 0, self.pen < 0
        if thicker.any():
            ink[thicker] = F.max_pool2d(ink[thicker], 3, stride=1, padding=1)
        if thinner.any():
            eroded = -F.max_pool2d(-F.pad(ink[thinner], (0, 1, 0, 1)), 2, stride=1)
            # A line of two pixels loses half of its ink when it is eroded; what is left is darkened instead.
            ink[thinner] = (eroded * 1.6).clamp(max=1.0)
        ink = (ink * self.ink).clamp_(max=1.0)
        places = (torch.arange(ink.shape[-1], device=ink.device) + 0.5) / ink.shape[-1]
        left, top, right, bottom = (self.erase[:, side, None] for side in range(4))
        columns, rows = (places >= left) & (places < right), (places >= top) & (places < bottom)
        return ink.masked_fill((rows[:, None, :, None] & columns[:, None, None, :]), 0.0)


def draw_augmentation(
    count: int, config: AugmentConfig, generator: Generator, groups: Tensor | None = None
) -> Augmentation:
    """Chance for a batch of `count` pairs. `groups` (count,), from 0: pairs of one group are flipped alike.

    A category is searched in one orientation, and what its photos share is found by averaging them.
    """
    flip = torch.where(_chance(count, 0.5, generator), -1.0, 1.0)
    flip = flip if groups is None else flip[groups]
    pair = _placement(count, config.rotate_deg, config.zoom, config.shift, generator)
    pair = pair * torch.stack([flip, torch.ones(count), torch.ones(count)], dim=1)[:, None, :]
    hand = _placement(count, config.hand_rotate_deg, config.hand_zoom, config.hand_shift, generator, uneven=True)
    hand = torch.where(_chance(count, config.small_share, generator)[:, None, None], _small(count, generator), hand)
    width = torch.rand(count, generator=generator)
    centre = torch.rand(count, 2, generator=generator)
    half = 0.04 + 0.08 * torch.rand(count, 1, generator=generator)
    half = torch.where(_chance(count, config.erase_share, generator)[:, None], half, 0.0)
    return Augmentation(
        photo_place=pair,
        sketch_place=_compose(pair, hand),
        wobble=(torch.rand(count, 2, 5, 5, generator=generator) * 2 - 1) * 2 * config.hand_wobble,
        pen=(width < config.thicken_share).int() - (width > 1 - config.thin_share).int(),
        erase=torch.cat([centre - half, centre + half], dim=1),
        gain=(1 + config.light * _even((count, 1, 1, 1), generator))
        * (1 + 0.4 * config.light * _even((count, 3, 1, 1), generator)),
        lift=0.4 * config.light * _even((count, 1, 1, 1), generator),
        grey=_chance(count, config.grey_share, generator)[:, None, None, None],
        # Last, and drawn only where it is wanted: recipes without it see the numbers that they always saw.
        ink=1 + config.darken * torch.rand(count, 1, 1, 1, generator=generator)
        if config.darken
        else torch.ones(count, 1, 1, 1),
    )


def _placement(
    count: int, rotate_deg: float, zoom: float, shift: float, generator: Generator, *, uneven: bool = False
) -> Tensor:
    """(B, 2, 3) affine maps; `uneven`: height and width change apart."""
    angle = _even((count,), generator) * math.radians(rotate_deg)
    wide = torch.exp(_even((count,), generator) * zoom)
    high = torch.exp(_even((count,), generator) * zoom) if uneven else wide
    cos, sin = angle.cos(), angle.sin()
    turn = torch.stack([torch.stack([cos * wide, -sin * high], 1), torch.stack([sin * wide, cos * high], 1)], dim=1)
    return torch.cat([turn, 2 * shift * _even((count, 2, 1), generator)], dim=2)


def _small(count: int, generator: Generator) -> Tensor:
    """(B, 2, 3): drawings shrunk to between 0.55 and 0.8 and put anywhere they fit."""
    scale = 1 / (0.55 + 0.25 * torch.rand(count, 1, 1, generator=generator))
    return torch.cat([torch.eye(2) * scale, (scale - 1) * _even((count, 2, 1), generator)], dim=2)


def _compose(first: Tensor, second: Tensor) -> Tensor:
    """(B, 2, 3), (B, 2, 3) -> (B, 2, 3): where `first` looks up what `second` placed."""
    turn = first[:, :, :2] @ second[:, :, :2]
    return torch.cat([turn, first[:, :, :2] @ second[:, :, 2:] + first[:, :, 2:]], dim=2)


def _bend(wobble: Tensor, size_px: int) -> Tensor:
    """(B, 2, n, n) -> (B, S, S, 2), bicubic.

    It is linear along each axis: a product with the weights of each costs next to nothing.
    """
    ends = torch.eye(wobble.shape[-1], device=wobble.device)[:, None, None]
    weights = F.interpolate(ends, size=(1, size_px), mode="bicubic", align_corners=True)[:, 0, 0]  # (n, S)
    across = wobble @ weights  # (B, 2, n, S)
    return (across.transpose(2, 3) @ weights).permute(0, 3, 2, 1)


def _grid(place: Tensor, size_px: int) -> Tensor:
    """(B, 2, 3) -> (B, S, S, 2): `F.affine_grid` with `align_corners=False`, as a sum instead of a product."""
    centres = (2 * torch.arange(size_px, device=place.device) + 1) / size_px - 1
    across = centres[:, None] * place[:, None, None, :, 0]  # (B, 1, S, 2)
    down = centres[:, None, None] * place[:, None, None, :, 1] + place[:, None, None, :, 2]  # (B, S, 1, 2)
    return across + down


def _even(shape: tuple[int, ...], generator: Generator) -> Tensor:
    return torch.rand(shape, generator=generator) * 2 - 1


def _chance(count: int, share: float, generator: Generator) -> Tensor:
    return torch.rand(count, generator=generator) < share
