"""Line drawings made from photos: thinned edges, for photos that nobody drew.

Edges after Canny (PAMI 1986): smoothed gradient, non-maximum suppression, hysteresis. The thresholds are quantiles of
the photo's own edge strengths, so a draw of `amount` decides how much of the photo gets drawn, whatever its contrast.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

DRAWING_STYLES = ((1.2, 0.045), (2.0, 0.035), (3.0, 0.028))
"""(blur in px of 256, share of the image drawn): how much a drawing keeps, from every crease to the outline."""

_SIDE_PX = 256
_MIN_INK_PX = 64  # a drawing with less is called empty
_STRONGEST_NOISE = 0.02  # below this gradient the "strongest" edge is paper grain or JPEG noise
_UNLIKELY_EDGE = 0.12  # below this probability a network's edge is none
_BORDER_PX = 4
_GROW_STEPS = 24  # hysteresis follows a weak edge this many pixels away from a strong one
_SPECK_PX = 9  # a line whose neighbourhood of this size holds less than a third of a stroke is noise


def line_drawings(
    photos: Sequence[Image.Image], focus: float | None = None, styles: NDArray[np.float64] | None = None
) -> Iterator[Image.Image]:
    """Each photo, stretched to 256 x 256, drawn in every style: black lines of 3 px on white, mode L.

    All styles of one photo follow each other. `styles` (T, B, 2): blur and share of the T drawings of each photo; by
    default the DRAWING_STYLES, in order. `focus`: see `edge_drawing`.
    """
    square = [np.asarray(photo.resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BILINEAR)) for photo in photos]
    batch = torch.from_numpy(np.stack(square)).permute(0, 3, 1, 2).float() / 255
    if styles is None:
        styles = np.repeat(np.array(DRAWING_STYLES)[:, None, :], len(photos), axis=1)
    drawn = []
    for style in torch.from_numpy(styles).float():
        line = edge_drawing(batch, style[:, 0], style[:, 1], focus)
        # A photo without any edge still needs a drawing: one upright line, which matches nothing.
        line[line.flatten(1).sum(1) < _MIN_INK_PX, :, 2:-2, 2] = 1.0
        drawn.append(np.where(_thickened(line[:, 0] > 0).numpy(), np.uint8(0), np.uint8(255)))
    for number in range(len(photos)):
        for style_rows in drawn:
            yield Image.fromarray(style_rows[number])


def random_styles(first: int, count: int, times: int) -> NDArray[np.float64]:
    """(times, count, 2): styles for photos number `first` and on, each its own, between those of DRAWING_STYLES."""
    low, high = np.array([1.1, 0.035]), np.array([3.2, 0.065])
    chance = [np.random.default_rng([number]).random((times, 2)) for number in range(first, first + count)]
    styles: NDArray[np.float64] = low + (high - low) * np.stack(chance, axis=1)
    return styles


def edge_drawing(photos: Tensor, blur_px: Tensor, amount: Tensor, focus: float | None = None) -> Tensor:
    """(B, 3, H, W) in [0, 1], (B,), (B,) -> (B, 1, H, W) ink in {0, 1}, one pixel wide.

    `blur_px`: standard deviation of the smoothing; larger values leave only the outlines. `amount`: share of the image
    that may be drawn, about 0.02 to 0.06; half of it must be strong edges and the rest has to be connected to them.
    `focus`: standard deviation, as a share of the side, of a preference for the middle: people draw the object and
    not its surroundings. None: no preference, for objects on a plain background.
    """
    strength, dx, dy = _gradient(_gaussian(photos, blur_px))
    return _drawn(strength * _ridges(strength, dx, dy), amount, focus, _STRONGEST_NOISE)


def edge_map_drawing(edges: Tensor, amount: Tensor, focus: float | None = None) -> Tensor:
    """(B, 1, H, W) probabilities of an edge, (B,) -> (B, 1, H, W) ink in {0, 1}, one pixel wide; see `edge_drawing`."""
    smooth = _gaussian(edges, torch.ones(len(edges), device=edges.device))
    # A line lies where its strength falls off to both sides: across it the gradient of the strength's own slope is
    # steepest, and the direction of the largest curvature tells which way across is.
    ridge = smooth * _ridges(smooth, *_across(smooth))
    inner = torch.zeros_like(ridge)
    # A photo's own border is an edge to the network.
    inner[..., _BORDER_PX:-_BORDER_PX, _BORDER_PX:-_BORDER_PX] = 1
    return _drawn(ridge * inner, amount, focus, _UNLIKELY_EDGE)


def _drawn(ridge: Tensor, amount: Tensor, focus: float | None, weakest: float) -> Tensor:
    """Strength of thinned edges (B, 1, H, W) -> ink: the strongest, and what is connected to them."""
    if focus is not None:
        high, wide = (_middle(length, focus).to(ridge.device) for length in ridge.shape[-2:])
        ridge = ridge * high[:, None] * wide
    count = ridge[0].numel()
    ranked = ridge.flatten(1).sort(dim=1, descending=True).values
    picks = torch.arange(len(ridge), device=ridge.device)
    strong_at = ranked[picks, (amount * 0.5 * count).long()].clamp_min(weakest)[:, None, None, None]
    weak_at = ranked[picks, (amount * count).long()].clamp_min(weakest)[:, None, None, None]
    strong = _grown(ridge >= strong_at, ridge >= weak_at).float()
    # A square's sum is a sum over rows of sums over columns, at a fraction of the cost.
    rows = F.avg_pool2d(strong, (1, _SPECK_PX), stride=1, padding=(0, _SPECK_PX // 2))
    support = F.avg_pool2d(rows, (_SPECK_PX, 1), stride=1, padding=(_SPECK_PX // 2, 0)) * _SPECK_PX**2
    return strong * (support > _SPECK_PX * 0.55).float()


def _grown(strong: Tensor, weak: Tensor) -> Tensor:
    """(B, 1, H, W) bool: strong pixels, and weak ones that at most _GROW_STEPS steps of eight neighbours lead to."""
    for _ in range(_GROW_STEPS):
        grown = _thickened(strong) & weak
        if torch.equal(grown, strong):
            break
        strong = grown
    return strong


def _thickened(ink: Tensor) -> Tensor:
    """(..., H, W) bool: the pixels and their eight neighbours."""
    # Bytes, a row and a column at a time: a pool of floats took most of the time of a whole drawing.
    wide = ink.clone()
    wide[..., 1:] |= ink[..., :-1]
    wide[..., :-1] |= ink[..., 1:]
    thick = wide.clone()
    thick[..., 1:, :] |= wide[..., :-1, :]
    thick[..., :-1, :] |= wide[..., 1:, :]
    return thick


def _middle(length: int, focus: float) -> Tensor:
    """(length,) weights, 1 in the middle."""
    positions = (torch.arange(length) + 0.5) / length - 0.5
    return torch.exp(-0.5 * (positions / focus).square())


def _gradient(smooth: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(B, C, H, W) -> strength, and the direction across the edge as dx, dy: (B, 1, H, W) each."""
    dx, dy = _slopes(smooth)
    # The channel that changes most draws the line: a red shoe on a grey floor of equal lightness has an outline too.
    squares = dx.square() + dy.square()
    best = [part[:, :1] for part in (squares, dx, dy)]
    for channel in range(1, smooth.shape[1]):
        found = [part[:, channel : channel + 1] for part in (squares, dx, dy)]
        stronger = found[0] > best[0]
        best = [torch.where(stronger, new, old) for new, old in zip(found, best, strict=True)]
    squares, dx, dy = best
    return squares.sqrt(), dx, dy


def _across(smooth: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 1, H, W) a map of lines -> the direction across them as dx, dy: that of the largest curvature."""
    dx, dy = _slopes(smooth)
    dxx, dxy = _slopes(dx)
    dyy = _slopes(dy)[1]
    # The eigenvector of the smaller eigenvalue of the Hessian, by half of the angle of its deviator.
    angle = 0.5 * torch.atan2(2 * dxy, dxx - dyy) + math.pi / 2
    return angle.cos(), angle.sin()


def _slopes(images: Tensor) -> tuple[Tensor, Tensor]:
    padded = F.pad(images, (1, 1, 1, 1), mode="replicate")
    dx = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) * 0.5
    dy = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) * 0.5
    return dx, dy


def _ridges(strength: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
    """(B, 1, H, W) 1 where the strength is the largest of three pixels across the edge, else 0."""
    around = F.pad(strength, (1, 1, 1, 1))
    height, width = strength.shape[-2:]
    sector = torch.round(torch.atan2(dy, dx) / (math.pi / 4)).long() % 4
    thin = torch.zeros_like(strength)
    for number, (down, right) in enumerate(((0, 1), (1, 1), (1, 0), (1, -1))):
        ahead = around[..., 1 + down : 1 + down + height, 1 + right : 1 + right + width]
        behind = around[..., 1 - down : 1 - down + height, 1 - right : 1 - right + width]
        thin = torch.where((sector == number) & (strength >= ahead) & (strength > behind), 1.0, thin)
    return thin


def _gaussian(images: Tensor, blur_px: Tensor) -> Tensor:
    """(B, C, H, W), (B,) -> (B, C, H, W), each image smoothed by its own standard deviation."""
    batch, channels, height, width = images.shape
    radius = max(1, math.ceil(2.5 * float(blur_px.max())))
    steps = torch.arange(-radius, radius + 1, dtype=images.dtype, device=images.device)
    kernel = torch.exp(-0.5 * (steps / blur_px[:, None]).square())
    kernel = (kernel / kernel.sum(dim=1, keepdim=True)).repeat_interleave(channels, dim=0)
    flat = images.reshape(1, batch * channels, height, width)
    flat = F.conv2d(F.pad(flat, (radius, radius, 0, 0), mode="replicate"), kernel[:, None, None, :], groups=len(kernel))
    flat = F.conv2d(F.pad(flat, (0, 0, radius, radius), mode="replicate"), kernel[:, None, :, None], groups=len(kernel))
    return flat.reshape(batch, channels, height, width)
