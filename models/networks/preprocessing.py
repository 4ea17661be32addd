"""How images become network input: the serving preprocessing with the statistics that published weights expect."""

from __future__ import annotations

from dataclasses import dataclass

from models.bundle import SketchNormalisation
from models.bundle.preprocess import Preprocess


@dataclass(frozen=True)
class PixelStatistics:
    """Mean and deviation by RGB channel, of values in [0, 1], that an input is normalised with."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


IMAGENET = PixelStatistics((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""What torchvision's and timm's ImageNet weights were trained with."""

SYMMETRIC = PixelStatistics((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
"""Values in [-1, 1], what TensorFlow's EfficientNets were trained with."""


def preprocesses(
    size_px: int,
    normalisation: SketchNormalisation | None = None,
    statistics: PixelStatistics = IMAGENET,
    *,
    trim: bool = False,
    photo_px: int | None = None,
) -> tuple[Preprocess, Preprocess]:
    """The serving preprocessing of sketches and of photos, into (3, S, S) with S = `size_px`.

    `normalisation`: of sketches alone; by default that of `SketchNormalisation`. `trim`, `photo_px`: of photos alone,
    the latter in the place of `size_px`.
    """
    plain = Preprocess(size_px=size_px, mean=statistics.mean, std=statistics.std)
    sketch = plain.model_copy(update={"sketch": normalisation or SketchNormalisation()})
    return sketch, plain.model_copy(update={"trim": trim, "size_px": photo_px or size_px})
