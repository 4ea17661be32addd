"""Every sketch and photo of a data set through a pair of encoders, as the service would answer them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import Vectors
from models.bundle import ImageEncoder, ImageFile, Pace, Unusable, cpu_quota, embed_stream
from models.data.datasets import Photo, SketchRecord
from models.evaluation.encoders import EncoderPair
from models.evaluation.errors import EmbeddingsNotFinite


@dataclass(frozen=True)
class Embedded:
    """`vectors` (N, E), rows of length 1; `refused`: row -> why it has none, such as a drawing without ink."""

    vectors: Vectors
    refused: Mapping[int, str]


def embed_sketches(
    encoders: EncoderPair, records: Sequence[SketchRecord], progress: Callable[[int], object] | None = None
) -> Embedded:
    """Q sketches -> (Q, E). `progress` is given how many were done since. Raises EmbeddingsNotFinite."""
    return _embed(encoders.sketch, len(records), (record.sketch.image for record in records), progress)


def embed_photos(
    encoders: EncoderPair, photos: Sequence[Photo], progress: Callable[[int], object] | None = None
) -> Embedded:
    """G photos -> (G, E). `progress` is given how many were done since. Raises EmbeddingsNotFinite."""
    return _embed(encoders.photo, len(photos), (photo.path for photo in photos), progress)


def _embed(
    encoder: ImageEncoder, count: int, files: Iterable[ImageFile], progress: Callable[[int], object] | None
) -> Embedded:
    vectors = np.zeros((count, encoder.embedding_dim), dtype=np.float32)
    refused: dict[int, str] = {}
    for outcome in embed_stream(encoder, files, lambda _: None, pace=Pace(workers=cpu_quota())):
        if isinstance(outcome, Unusable):
            refused[outcome.position] = str(outcome.error)
        else:
            vectors[outcome.position] = outcome.vector
        if progress is not None:
            progress(1)
    if not np.isfinite(vectors).all():
        modality = encoder.preprocess.modality
        raise EmbeddingsNotFinite(f"the {modality} encoder gave numbers that are not finite: no figures from those")
    return Embedded(vectors, refused)
