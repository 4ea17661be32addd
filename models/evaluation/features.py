"""Where vectors come from when figures are measured: a bundle's ONNX encoders, or HOG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.bundle import Bundle, Encoder, SketchNormalisation, decode_image
from models.bundle.preprocess import Preprocess
from models.data.pairs import Pair, Photo
from models.evaluation.hog import hog
from models.evaluation.protocol import EncodePhotos, EncodeSketches

_BATCH = 16
_HOG_PX = 160


@dataclass(frozen=True)
class Features:
    """What `measure` needs, with a name for the report."""

    name: str
    embedding_dim: int
    sketches: EncodeSketches
    photos: EncodePhotos


def bundle_features(bundle: Bundle) -> Features:
    """Vectors as the service computes them."""
    return Features(
        name=bundle.bundle_id,
        embedding_dim=bundle.embedding_dim,
        sketches=lambda pairs: _encoded(bundle.sketch, [_open_sketch(pair.sketch_path) for pair in pairs]),
        photos=lambda photos: _encoded(bundle.photo, [_open_photo(photo.path) for photo in photos]),
    )


def hog_features() -> Features:
    """Histograms of oriented gradients over the same views, with nothing learned."""
    plain: dict[str, tuple[float, float, float]] = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
    sketch_view = Preprocess(size_px=_HOG_PX, sketch=SketchNormalisation(), **plain).view
    photo_view = Preprocess(size_px=_HOG_PX, **plain).view

    def rows(images: Sequence[Image.Image], view: Callable[[Image.Image], Image.Image]) -> NDArray[np.float32]:
        return np.stack([hog(np.asarray(view(image).convert("L"), dtype=np.float32)) for image in images])

    def sketches(pairs: Sequence[Pair]) -> NDArray[np.float32]:
        return rows([_open_sketch(pair.sketch_path) for pair in pairs], sketch_view)

    def photos(photos_: Sequence[Photo]) -> NDArray[np.float32]:
        return rows([_open_photo(photo.path) for photo in photos_], photo_view)

    dim = hog(np.zeros((_HOG_PX, _HOG_PX), dtype=np.float32)).size
    return Features("hog", dim, sketches, photos)


def _encoded(encoder: Encoder, images: Sequence[Image.Image]) -> NDArray[np.float32]:
    parts = []
    for start in range(0, len(images), _BATCH):
        batch = np.stack([encoder.prepare(image) for image in images[start : start + _BATCH]])
        parts.append(encoder.encode(batch))
    return np.concatenate(parts)


def _open_sketch(path: Path) -> Image.Image:
    return decode_image(path.read_bytes(), matte="contrast").image


def _open_photo(path: Path) -> Image.Image:
    return decode_image(path.read_bytes()).image
