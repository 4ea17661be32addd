"""Every sketch and photo of a data set through a pair of encoders, as the service would encode them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from PIL import Image

from models.arrays import Vectors
from models.bundle import (
    ANYWHERE,
    EmbeddingParts,
    ForPurpose,
    ImageEncoder,
    ImageFile,
    Pace,
    Purpose,
    Unusable,
    cpu_quota,
    embed_stream,
    rasterise_strokes,
)
from models.data.datasets import LabelledSketch, Photo, SketchRecord, SketchSource
from models.evaluation.encoders import EncoderPair
from models.evaluation.errors import EmbeddingsNotFinite

Progress = Callable[[int], object]
"""Is called with the number of images that were encoded since the last call."""


@dataclass(frozen=True)
class Embeddings:
    """`vectors` (N, E), rows of length 1; `unusable`: row -> why it has no embedding, such as a drawing without ink.

    The rows of unusable images are zero.
    """

    vectors: Vectors
    unusable: Mapping[int, str]

    def adaptable(self, parts: EmbeddingParts | None) -> Embeddings:
        """What searches within a category go by: the layout, or all of it where there are no parts."""
        return self if parts is None else replace(self, vectors=parts.layout_of(self.vectors))


def embed_sketches(
    encoders: EncoderPair,
    records: Sequence[SketchRecord],
    progress: Progress | None = None,
    *,
    purposes: Sequence[Purpose] | None = None,
) -> Embeddings:
    """Q sketches -> (Q, E); `purposes`: of each, see `purposes.py`. Raises EmbeddingsNotFinite."""
    chosen = [ANYWHERE] * len(records) if purposes is None else purposes
    vectors = np.zeros((len(records), encoders.sketch.embedding_dim), dtype=np.float32)
    unusable: dict[int, str] = {}
    for purpose in dict.fromkeys(chosen):
        rows = [row for row, own in enumerate(chosen) if own == purpose]
        files = (records[row].sketch.image for row in rows)
        embedded = _embed(ForPurpose(encoders.sketch, purpose), len(rows), files, progress)
        vectors[rows] = embedded.vectors
        unusable |= {rows[row]: reason for row, reason in embedded.unusable.items()}
    return Embeddings(vectors, unusable)


def embed_drawings(
    encoders: EncoderPair,
    sketches: Sequence[LabelledSketch],
    progress: Progress | None = None,
    *,
    purpose: Purpose = ANYWHERE,
) -> Embeddings:
    """Q labelled sketches -> (Q, E); strokes, where they are known, are framed and drawn as the service draws them.

    Raises EmbeddingsNotFinite.
    """
    files = (partial(_drawn, item.sketch) for item in sketches)
    return _embed(ForPurpose(encoders.sketch, purpose), len(sketches), files, progress)


def embed_photos(encoders: EncoderPair, photos: Sequence[Photo], progress: Progress | None = None) -> Embeddings:
    """G photos -> (G, E). Raises EmbeddingsNotFinite."""
    return _embed(encoders.photo, len(photos), (photo.path for photo in photos), progress)


def _drawn(sketch: SketchSource) -> Image.Image:
    strokes = sketch.strokes()
    return sketch.image() if strokes is None else rasterise_strokes(strokes)


def _embed(encoder: ImageEncoder, count: int, files: Iterable[ImageFile], progress: Progress | None) -> Embeddings:
    vectors = np.zeros((count, encoder.embedding_dim), dtype=np.float32)
    unusable: dict[int, str] = {}
    for outcome in embed_stream(encoder, files, lambda _: None, pace=Pace(workers=cpu_quota())):
        if isinstance(outcome, Unusable):
            unusable[outcome.position] = str(outcome.error)
        else:
            vectors[outcome.position] = outcome.vector
        if progress is not None:
            progress(1)
    # NaN compares as neither higher nor lower, so a ranking with it would look like figures and mean nothing.
    if not np.isfinite(vectors).all():
        modality = encoder.preprocess.modality
        raise EmbeddingsNotFinite(f"the {modality} encoder gave embeddings with infinities or NaN, which rank nothing")
    return Embeddings(vectors, unusable)
