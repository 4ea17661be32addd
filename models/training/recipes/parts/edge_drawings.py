"""Drawings that an edge network makes of every training photo, beside those that follow the photo's gradients.

A network that learned which edges people mark leaves out texture and shadow, which a gradient draws as well.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from models.atomic_files import replace_file
from models.data.builders.synthetic import edge_map_drawing
from models.data.sampling.category_batches import CategoryPool
from models.networks.layers.edge_network import EdgeNetwork
from models.training.engine.processes import Process, to_device
from models.training.recipes.parts.config import EdgeDrawingsConfig
from models.training.recipes.parts.material import Material
from models.training.weights.pretrained import HED_BSDS, fetch

_DRAWN_PX = 256  # the side at which edges are thinned: a line gets 3 pixels of it
_BATCH = 64
_MIN_INK_PX = 200  # of 256 x 256; with less the network saw nothing
_BLANK = 255


def with_edge_drawings(
    material: Material, config: EdgeDrawingsConfig, pretrained: Path, cache: Path, process: Process
) -> Material:
    """The material with a further row of sketches for each photo, in the photos' order, behind all others.

    A photo's row joins its synthetic drawings, unless the network saw next to nothing in it. Drawn once, kept in
    `cache`. Raises PretrainedError.
    """
    images = material.images
    content = hashlib.blake2b(images.photos[::16].tobytes(), digest_size=8)
    content.update(repr((config, len(images.photos), len(images.sketches), material.focuses)).encode())
    kept = cache / f"with_edges_{content.hexdigest()}.npy"
    first = len(images.sketches)
    if not kept.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        drawings = _draw(images.photos, material.focuses, config, pretrained, process)
        replace_file(kept, lambda file: np.save(file, np.concatenate([images.sketches, drawings])))
    sketches: NDArray[np.uint8] = np.load(kept, mmap_mode="c")
    seen = (sketches[first:] != _BLANK).any(axis=(1, 2))
    pools = tuple(_with_row(pool, first, seen, alone=config.alone) for pool in images.pools)
    table = material.table
    table = replace(
        table,
        sketches=(*table.sketches, *table.photos),
        sketch_sets=(*table.sketch_sets, *("" for _ in table.photos)),
    )
    return Material(replace(images, sketches=sketches, pools=pools), table, material.focuses)


def _with_row(pool: CategoryPool, first: int, seen: NDArray[np.bool_], *, alone: bool) -> CategoryPool:
    """The pool in which each photo with synthetic drawings has one more, row `first` + photo, or that one alone.

    A photo that is left without any drawing leaves the pool.
    """
    kept = []
    for photo, drawn, made in zip(pool.photos, pool.sketches, pool.synthetic, strict=True):
        former = () if alone else made
        rows = (*former, first + photo) if made and seen[photo] else former
        if drawn or rows:
            kept.append((photo, drawn, rows))
    photos, sketches, synthetic = zip(*kept, strict=True) if kept else ((), (), ())
    return replace(pool, photos=photos, sketches=sketches, synthetic=synthetic)


@torch.no_grad()
def _draw(
    photos: NDArray[np.uint8],
    focuses: tuple[float | None, ...],
    config: EdgeDrawingsConfig,
    pretrained: Path,
    process: Process,
) -> NDArray[np.uint8]:
    """(N, 3, P, P) -> (N, P, P), white where nothing was seen."""
    network = EdgeNetwork().eval()
    network.load_published(fetch(HED_BSDS, pretrained))
    to_device(network, process)
    side = photos.shape[-1]
    drawings = np.full((len(photos), side, side), _BLANK, np.uint8)
    # Photos of one focus at a time: it is one number for a batch.
    for focus in sorted(set(focuses), key=lambda value: value or 0.0):
        rows = np.flatnonzero([each == focus for each in focuses])
        for start in range(0, len(rows), _BATCH):
            part = rows[start : start + _BATCH]
            amounts = torch.tensor([_amount(config, int(row)) for row in part])
            ready = torch.from_numpy(photos[part]).to(process.device).float().div_(255)
            drawings[part] = _drawn(network, ready, amounts.to(process.device), focus, config, process, side)
    return drawings


def _drawn(
    network: EdgeNetwork,
    photos: Tensor,
    amounts: Tensor,
    focus: float | None,
    config: EdgeDrawingsConfig,
    process: Process,
    side: int,
) -> NDArray[np.uint8]:
    resize = partial(F.interpolate, mode="bilinear", align_corners=False, antialias=True)
    large = resize(photos, size=(config.size_px, config.size_px)).contiguous(memory_format=torch.channels_last)
    with process.autocast(True):
        edges = network(large)
    ink = edge_map_drawing(resize(edges.float(), size=(_DRAWN_PX, _DRAWN_PX)), amounts, focus)
    ink = ink * (ink.flatten(1).sum(1) >= _MIN_INK_PX)[:, None, None, None]
    thick = resize(F.max_pool2d(ink, 3, stride=1, padding=1), size=(side, side))
    drawn: NDArray[np.uint8] = (_BLANK * (1 - thick[:, 0])).round().clamp(0, _BLANK).to(torch.uint8).cpu().numpy()
    return drawn


def _amount(config: EdgeDrawingsConfig, row: int) -> float:
    low, high = config.amount
    return float(np.random.default_rng([row]).uniform(low, high))
