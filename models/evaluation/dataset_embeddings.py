"""Every sketch and photo of a data set through a pair of encoders, as the service would answer them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.bundle import ImageError, cpu_quota, decode_image
from models.data.datasets import SketchRecord
from models.data.datasets.pairs import Photo
from models.evaluation.encoders import EncoderPair, ImageEncoder
from models.evaluation.errors import EmbeddingsNotFinite

Item = TypeVar("Item")

_BATCH = 16


@dataclass(frozen=True)
class Embedded:
    """`vectors` (N, E), rows of length 1; `refused`: row -> why it has none, such as a drawing without ink."""

    vectors: NDArray[np.float32]
    refused: Mapping[int, str]


def embed_sketches(
    encoders: EncoderPair, records: Sequence[SketchRecord], progress: Callable[[int], object] | None = None
) -> Embedded:
    """Q sketches -> (Q, E). `progress` is given how many were done since. Raises EmbeddingsNotFinite."""
    return _embed(encoders.sketch, records, lambda record: record.sketch.image(), progress)


def embed_photos(
    encoders: EncoderPair, photos: Sequence[Photo], progress: Callable[[int], object] | None = None
) -> Embedded:
    """G photos -> (G, E). `progress` is given how many were done since. Raises EmbeddingsNotFinite."""
    return _embed(encoders.photo, photos, lambda photo: decode_image(photo.path.read_bytes()).image, progress)


def _embed(
    encoder: ImageEncoder,
    items: Sequence[Item],
    read: Callable[[Item], Image.Image],
    progress: Callable[[int], object] | None,
) -> Embedded:
    def encoded(start: int) -> tuple[list[int], NDArray[np.float32], dict[int, str]]:
        rows, inputs, refused = [], [], {}
        for row, item in enumerate(items[start : start + _BATCH], start):
            try:
                inputs.append(encoder.prepare(read(item)))
                rows.append(row)
            except (ImageError, OSError) as error:
                refused[row] = str(error)
        return rows, encoder.encode(np.stack(inputs)) if inputs else np.empty((0, 0), np.float32), refused

    vectors = np.zeros((len(items), encoder.embedding_dim), dtype=np.float32)
    refused: dict[int, str] = {}
    with ThreadPoolExecutor(max_workers=cpu_quota()) as pool:
        for rows, found, reasons in pool.map(encoded, range(0, len(items), _BATCH)):
            if rows:
                vectors[rows] = found
            refused |= reasons
            if progress is not None:
                progress(len(rows) + len(reasons))
    if not np.isfinite(vectors).all():
        modality = encoder.preprocess.modality
        raise EmbeddingsNotFinite(f"the {modality} encoder gave numbers that are not finite: no figures from those")
    return Embedded(vectors, refused)
