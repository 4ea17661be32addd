"""The images of examples, to embeddings. Blocking; each call is one job of a worker thread."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from models.arrays import Vectors
from models.bundle import Frame, Purpose
from models.errors import InkseekError
from service.errors import QueueFull
from service.search.online.upload import embedded_photo
from service.search.query import SearchQuery
from service.search.retriever import Retriever
from service.sketches.reading import read_sketch
from service.store.photos import online_photo_id
from service.store.records import AdapterTarget, NewPhoto


@dataclass(frozen=True, slots=True)
class EncodedSketch:
    """The sketch as it was sent, its unit embedding (E,), and a digest of what the encoder saw.

    The digest makes one drawing in two files one drawing.
    """

    data: bytes
    vector: Vectors
    digest: bytes


def sketch_purpose(retriever: Retriever, target: AdapterTarget, frame: Frame = "auto") -> Purpose:
    """What examples of a target are prepared for: a search of the category, or for a drawing style of everything."""
    return retriever.purpose(SearchQuery(categories=(target.name,) if target.scope == "category" else (), frame=frame))


def encode_sketch(
    retriever: Retriever,
    data: bytes,
    number: int,
    target: AdapterTarget,
    frame: Frame = "auto",
    *,
    stored: bool = False,
) -> EncodedSketch:
    """The embedding of example `number` (from 0). Raises ImageError, BodyInvalid, saying which sketch it was.

    `stored`: it was accepted before, when strokes that may be rows or pairs were read as rows.
    """
    encoder = retriever.bundle.sketch
    try:
        sketch = read_sketch(data, retriever.decoder.strokes, ambiguous="rows" if stored else None)
        tensor = encoder.prepare(retriever.decode(sketch), sketch_purpose(retriever, target, frame))
    except InkseekError as error:
        # The same class again, since it decides the code and status of the answer.
        raise type(error)(f"sketch {number + 1}: {error}") from error
    return EncodedSketch(data, encoder.encode(tensor[None])[0], hashlib.sha256(tensor.tobytes()).digest())


def encode_photo(retriever: Retriever, category: str, data: bytes, number: int) -> NewPhoto:
    """The photo of example `number` (from 0), under its id. Raises ImageError, saying which photo it was, QueueFull."""
    try:
        return embedded_photo(retriever.bundle, retriever.decoder, online_photo_id(category, data), category, data)
    except QueueFull:
        raise
    except InkseekError as error:
        raise type(error)(f"photo {number + 1}: {error}") from error
