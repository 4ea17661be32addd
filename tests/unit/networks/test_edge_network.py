"""The edge network against its definition, and the drawings that are made of what it says."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from models.data.builders.synthetic import edge_map_drawing
from models.networks.layers.edge_network import EdgeNetwork

WIDTHS = ((3, 64, 64), (64, 128, 128), (128, 256, 256, 256), (256, 512, 512, 512), (512, 512, 512, 512))


def keras_file() -> dict[str, Tensor]:
    """Random arrays under the published names, kernels as Keras has them."""
    torch.manual_seed(0)
    values: dict[str, Tensor] = {}

    def add(name: str, side: int, channels_in: int, channels: int) -> None:
        values[f"{name}/vars/0"] = torch.randn(side, side, channels_in, channels) / (side * side * channels_in) ** 0.5
        values[f"{name}/vars/1"] = torch.randn(channels) * 0.1

    for number, widths in enumerate(WIDTHS, start=1):
        for place, (channels_in, channels) in enumerate(pairwise(widths)):
            add(f"block{number}/layers/conv2d{f'_{place}' if place else ''}", 3, channels_in, channels)
        add(f"dsn{number}", 1, widths[-1], 1)
    add("fuse", 1, 5, 1)
    return values


def reference(values: dict[str, Tensor], photos: Tensor) -> Tensor:
    def convolved(x: Tensor, name: str) -> Tensor:
        kernel = values[f"{name}/vars/0"].permute(3, 2, 0, 1)
        return F.conv2d(x, kernel, values[f"{name}/vars/1"], padding=kernel.shape[-1] // 2)

    blue_green_red = torch.stack([photos[:, 2], photos[:, 1], photos[:, 0]], dim=1) * 255
    x = blue_green_red - torch.tensor([104.007, 116.669, 122.679]).view(3, 1, 1)
    sides = []
    for number, widths in enumerate(WIDTHS, start=1):
        x = F.max_pool2d(x, 2, ceil_mode=True) if number > 1 else x
        for place in range(len(widths) - 1):
            x = convolved(x, f"block{number}/layers/conv2d{f'_{place}' if place else ''}").relu()
        side = convolved(x, f"dsn{number}")
        sides.append(F.interpolate(side, size=photos.shape[-2:], mode="bilinear", align_corners=False))
    return convolved(torch.cat(sides, dim=1), "fuse").sigmoid()


@torch.no_grad()
def test_the_published_arrays_give_the_published_function() -> None:
    values, network = keras_file(), EdgeNetwork().eval()
    network.load_published(values)
    photos = torch.rand(2, 3, 35, 50)
    edges = network(photos)
    assert edges.shape == (2, 1, 35, 50)
    torch.testing.assert_close(edges, reference(values, photos), atol=1e-4, rtol=1e-3)
    del values["dsn3/vars/1"]
    with pytest.raises(KeyError):
        network.load_published(values)


def test_a_line_is_drawn_where_the_edge_is_strongest_and_nowhere_at_the_border() -> None:
    places = torch.arange(64.0)
    ring = ((places - 31.5).square()[:, None] + (places - 31.5).square()).sqrt()
    edges = torch.exp(-0.5 * ((ring - 20) / 2.0).square())[None, None]
    edges[..., :2, :] = 1.0  # the photo's own border
    ink = edge_map_drawing(edges, torch.tensor([0.06]))[0, 0]
    drawn = ink.nonzero()
    radius = (drawn - 31.5).square().sum(1).sqrt()
    assert len(drawn) > 100  # of a circumference of 126
    assert (radius - 20).abs().max() <= 1.5
    assert edge_map_drawing(edges * 0.1, torch.tensor([0.06])).sum() == 0  # too unlikely to be edges
