"""The images of examples, to embeddings. Blocking; each call is one job of a worker thread."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from index_builder.artifact import THUMBNAIL_PX, make_thumbnail
from models.arrays import Vectors
from models.bundle import Frame, ImageUnreadable
from models.errors import InkseekError
from models.sandbox import SandboxBusy
from service.errors import QueueFull
from service.search.retriever import Retriever
from service.sketches.reading import read_sketch
from service.store.photos import online_photo_id
from service.store.records import NewPhoto, OnlinePhoto

_UNIT_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class EncodedSketch:
    """The sketch as it was sent, its unit embedding (E,), and a digest of what the encoder saw.

    The digest makes one drawing in two files one drawing.
    """

    data: bytes
    vector: Vectors
    digest: bytes


def encode_sketch(
    retriever: Retriever, data: bytes, number: int, frame: Frame = "auto", *, stored: bool = False
) -> EncodedSketch:
    """The embedding of example `number` (from 0). Raises ImageError, BodyInvalid, saying which sketch it was.

    `stored`: it was accepted before, when strokes that may be rows or pairs were read as rows.
    """
    encoder = retriever.bundle.sketch
    try:
        sketch = read_sketch(data, retriever.decoder.strokes, ambiguous="rows" if stored else None)
        tensor = encoder.prepare(retriever.decode(sketch), frame)
    except InkseekError as error:
        # The same class again, since it decides the code and status of the answer.
        raise type(error)(f"sketch {number + 1}: {error}") from error
    return EncodedSketch(data, encoder.encode(tensor[None])[0], hashlib.sha256(tensor.tobytes()).digest())


def encode_photo(retriever: Retriever, category: str, data: bytes, number: int) -> NewPhoto:
    """An uploaded photo as the index builder would have it. Raises ImageError, saying which photo it was, QueueFull."""
    encoder = retriever.bundle.photo
    try:
        # Decoded once for thumbnail and encoder: a JPEG is reduced no further than the larger of the two allows.
        limits = retriever.decoder.images
        read = encoder.read(data, limits, draft_px=max(THUMBNAIL_PX, encoder.preprocess.size_px))
        vector = encoder.encode(read.pixels[None])[0]
        if not abs(float(np.linalg.norm(vector)) - 1.0) < _UNIT_TOLERANCE:  # NaN fails too
            raise ImageUnreadable("the encoder has no embedding for it")
    except SandboxBusy as error:
        raise QueueFull(str(error)) from error
    except InkseekError as error:
        raise type(error)(f"photo {number + 1}: {error}") from error
    photo_id, digest = online_photo_id(category, data), hashlib.sha256(data).hexdigest()
    photo = OnlinePhoto(photo_id, category, digest, read.decoded.width, read.decoded.height, vector)
    return NewPhoto(photo, make_thumbnail(read.decoded.image), data)
