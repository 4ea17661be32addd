"""Vectors of pairs and photos from a bundle's ONNX encoders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.bundle import Bundle, Encoder, decode_image
from models.evaluation.protocol import EncodePhotos, EncodeSketches

_BATCH = 16


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
