"""How images become network input: the serving preprocessing with the statistics that published weights expect."""

from __future__ import annotations

from models.bundle import SketchNormalisation
from models.bundle.preprocess import Preprocess

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def preprocesses(size_px: int, normalisation: SketchNormalisation | None = None) -> tuple[Preprocess, Preprocess]:
    """The serving preprocessing of sketches and of photos, into (3, S, S) with S = `size_px`.

    `normalisation`: of sketches alone; by default that of `SketchNormalisation`.
    """
    plain = Preprocess(size_px=size_px, mean=IMAGENET_MEAN, std=IMAGENET_STD)
    return plain.model_copy(update={"sketch": normalisation or SketchNormalisation()}), plain
