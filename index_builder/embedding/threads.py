"""Photos to vectors, streaming: however large the gallery, a bounded number of photos is in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import numpy as np

from index_builder.embedding.reader import PhotoFacts, ReadPhoto, Rejected, read_photo
from index_builder.sources.folder import GalleryPhoto
from models.arrays import Vectors
from models.bundle import Encoder, ImageLimits

# Batches in flight or finished, per worker: lets one slow photo pass without the other workers running dry.
_WINDOW_PER_WORKER = 8
_UNIT_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class EmbeddedPhoto:
    """A photo with its unit embedding (E,). Its pixels are gone by now: a finished batch is small."""

    facts: PhotoFacts
    vector: Vectors


Outcome: TypeAlias = EmbeddedPhoto | Rejected


@dataclass(frozen=True)
class Pace:
    """How the work is cut: `workers` threads, each taking `batch` photos from file to vectors at a time.

    On a CPU one thread a core and batches of a few are fastest (the session has one thread); a GPU wants large batches
    and enough workers to decode for it.
    """

    workers: int
    batch: int


def embed_photos(
    root: Path, photos: Sequence[GalleryPhoto], encoder: Encoder, pace: Pace, limits: ImageLimits
) -> Iterator[Outcome]:
    """Outcomes in the order of `photos`. Decoding and encoding overlap: both release the GIL.

    Errors of the encoder itself (a broken model, no memory on the device) are raised; a photo's own are outcomes.
    """
    with ThreadPoolExecutor(pace.workers, thread_name_prefix="embed") as pool:
        window: deque[Future[list[Outcome]]] = deque()
        try:
            for batch in _batches(photos, pace.batch):
                window.append(pool.submit(_embed_batch, root, batch, encoder, limits))
                if len(window) >= pace.workers * _WINDOW_PER_WORKER:
                    yield from window.popleft().result()
            while window:
                yield from window.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _embed_batch(root: Path, photos: Sequence[GalleryPhoto], encoder: Encoder, limits: ImageLimits) -> list[Outcome]:
    read = [read_photo(root, photo, encoder, limits) for photo in photos]
    pixels = [outcome.pixels for outcome in read if isinstance(outcome, ReadPhoto)]
    vectors = iter(encoder.encode(np.stack(pixels)) if pixels else ())
    return [_embedded(outcome.facts, next(vectors)) if isinstance(outcome, ReadPhoto) else outcome for outcome in read]


def _embedded(facts: PhotoFacts, vector: Vectors) -> Outcome:
    norm = float(np.linalg.norm(vector))
    if not abs(norm - 1.0) < _UNIT_TOLERANCE:  # NaN fails too
        return Rejected(facts.photo, "no_embedding", f"the encoder's vector has length {norm}, not 1")
    return EmbeddedPhoto(facts, vector)


def _batches(photos: Iterable[GalleryPhoto], size: int) -> Iterator[tuple[GalleryPhoto, ...]]:
    remaining = iter(photos)
    while batch := tuple(islice(remaining, size)):
        yield batch
