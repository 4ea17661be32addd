"""Images to embeddings, the whole chain in one place: decode, matte, prepare, batch, encode.

`embed` wants every image and raises at the first that is unusable. `embed_stream` goes through any number of images
with a bounded number in memory, yields the unusable ones with their error, and keeps what its caller wants of each.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import numpy as np
from PIL import Image

from models.arrays import Vectors
from models.bundle.preprocess import Preprocess
from models.bundle.sketch import ANYWHERE, Purpose
from models.images import DecodedImage, ImageError, ImageFile, ImageLimits, read_content
from models.turns import Turns

# Batches in flight or finished, per worker: lets one slow image pass without the other workers running dry.
_WINDOW_PER_WORKER = 8

Kept = TypeVar("Kept")


class ImageEncoder(Protocol):
    """What can embed images: a bundle's ONNX encoder, a network in training, or a descriptor without weights."""

    @property
    def preprocess(self) -> Preprocess:
        """How an image becomes the input; its modality decides the matte."""

    @property
    def embedding_dim(self) -> int:
        """Length E of an embedding."""

    def view(self, image: Image.Image, purpose: Purpose = ANYWHERE) -> Image.Image:
        """What is seen of an image: (size_px, size_px), L or RGB; `purpose`: of a sketch.

        Raises SketchEmpty, SketchSolid.
        """

    def prepare(self, image: Image.Image, purpose: Purpose = ANYWHERE) -> Vectors:
        """An image (RGB or L, any size) -> one input, float32. Raises SketchEmpty, SketchSolid."""

    def encode(self, batch: Vectors) -> Vectors:
        """(B, ...) inputs -> (B, E) float32, rows of length 1."""


@dataclass(frozen=True)
class WrappedEncoder:
    """An encoder that another one wraps, to override what differs."""

    encoder: ImageEncoder

    @property
    def preprocess(self) -> Preprocess:
        """As of the encoder inside."""
        return self.encoder.preprocess

    @property
    def embedding_dim(self) -> int:
        """As of the encoder inside."""
        return self.encoder.embedding_dim

    def view(self, image: Image.Image, purpose: Purpose = ANYWHERE) -> Image.Image:
        """As of the encoder inside."""
        return self.encoder.view(image, purpose)

    def prepare(self, image: Image.Image, purpose: Purpose = ANYWHERE) -> Vectors:
        """As of the encoder inside."""
        return self.encoder.prepare(image, purpose)

    def encode(self, batch: Vectors) -> Vectors:
        """As of the encoder inside."""
        return self.encoder.encode(batch)


@dataclass(frozen=True)
class ForPurpose(WrappedEncoder):
    """A sketch encoder whose sketches are all prepared for one purpose."""

    purpose: Purpose

    def view(self, image: Image.Image, purpose: Purpose | None = None) -> Image.Image:
        """What is seen of a sketch. Raises SketchEmpty, SketchSolid."""
        return self.encoder.view(image, purpose or self.purpose)

    def prepare(self, image: Image.Image, purpose: Purpose | None = None) -> Vectors:
        """A sketch -> one input. Raises SketchEmpty, SketchSolid."""
        return self.encoder.prepare(image, purpose or self.purpose)


@dataclass(frozen=True)
class Pace:
    """How the work is cut: `workers` threads, each taking `batch_size` images from file to embeddings at a time.

    On a CPU one thread per core and batches of a few are fastest (the session has one thread); a GPU wants large
    batches and enough workers to decode for it. With one worker everything runs in the caller's thread.
    """

    batch_size: int = 16
    workers: int = 1


@dataclass(frozen=True, slots=True)
class ReadImage:
    """An image with its encoder's input. `file`: the bytes that were decoded, empty where an open image was passed."""

    file: bytes
    decoded: DecodedImage
    pixels: Vectors


@dataclass(frozen=True, slots=True)
class Embedded(Generic[Kept]):
    """`vector` (E,) of the image at `position` of its stream, and what the caller kept of it."""

    position: int
    vector: Vectors
    kept: Kept


@dataclass(frozen=True, slots=True)
class Unusable:
    """`file`, at `position` of its stream, has no embedding: it cannot be read, or holds nothing to embed."""

    position: int
    file: ImageFile
    error: ImageError | OSError


def read_image(
    encoder: ImageEncoder, file: ImageFile, limits: ImageLimits | None = None, *, draft_px: int | None = None
) -> ReadImage:
    """Decode one image on the encoder's matte and prepare its input.

    `draft_px`: see `decode_image`; a caller that also shows the image passes the longest side that it needs.
    Raises ImageError, OSError.
    """
    content = read_content(file, limits)
    decoded = encoder.preprocess.decode(content, limits, draft_px=draft_px)
    return ReadImage(content if isinstance(content, bytes) else b"", decoded, encoder.prepare(decoded.image))


def embed(
    encoder: ImageEncoder, files: Iterable[ImageFile], limits: ImageLimits | None = None, *, pace: Pace | None = None
) -> Vectors:
    """N images -> (N, E) float32 in their order, rows of length 1.

    Raises ImageError or OSError at the first unusable image in that order; the message says which one it was.
    """
    vectors = []
    for outcome in embed_stream(encoder, files, lambda _: None, limits, pace=pace):
        if isinstance(outcome, Unusable):
            raise _naming(outcome) from outcome.error
        vectors.append(outcome.vector)
    return np.stack(vectors) if vectors else np.empty((0, encoder.embedding_dim), np.float32)


def embed_stream(
    encoder: ImageEncoder,
    files: Iterable[ImageFile],
    keep: Callable[[ReadImage], Kept],
    limits: ImageLimits | None = None,
    *,
    draft_px: int | None = None,
    pace: Pace | None = None,
) -> Generator[Embedded[Kept] | Unusable, None, None]:
    """Outcomes in the order of `files`, which are drawn as they are needed; pixels are gone when an outcome appears.

    `keep` runs where the image is read, while its bytes and pixels are there: what it returns travels with the vector
    (width and height, a digest, a thumbnail). An ImageError or OSError that it raises makes the image unusable.
    Errors of the encoder itself (a broken model, no memory on the device) are raised. Closing the generator early ends
    its threads.
    """
    pace = pace or Pace()
    phases = _Phases(pace.workers)

    def outcomes(batch: tuple[tuple[int, ImageFile], ...]) -> list[Embedded[Kept] | Unusable]:
        with phases.reading():
            read = [_read(encoder, position, file, keep, limits, draft_px) for position, file in batch]
        pixels = [item.pixels for item in read if isinstance(item, _Read)]
        # Unusable images have no row in the batch, so a vector is drawn for the readable ones alone.
        with phases.encoding():
            vectors = iter(encoder.encode(np.stack(pixels)) if pixels else ())
        return [Embedded(i.position, next(vectors), i.kept) if isinstance(i, _Read) else i for i in read]

    batches = _batches(enumerate(files), pace.batch_size)
    if pace.workers == 1:
        for batch in batches:
            yield from outcomes(batch)
        return
    with ThreadPoolExecutor(pace.workers, thread_name_prefix="embed") as pool:
        window: deque[Future[list[Embedded[Kept] | Unusable]]] = deque()
        try:
            for batch in batches:
                # Only the caller's thread advances `files` (a generator cannot be advanced by two), and the oldest
                # batch is awaited first, which keeps the order.
                window.append(pool.submit(outcomes, batch))
                if len(window) >= pace.workers * _WINDOW_PER_WORKER:
                    yield from window.popleft().result()
            while window:
                yield from window.popleft().result()
        finally:
            # Leaving the `with` would wait for every batch that is still queued; a closed generator drops those.
            pool.shutdown(wait=True, cancel_futures=True)


class _Phases:
    """Threads that read batches one behind the other, as long as a batch is read in less time than it is encoded.

    Large photos are decoded for longer than they are encoded, and without the interpreter: there waiting is lost.
    """

    def __init__(self, workers: int) -> None:
        self._turns = Turns(max(1, workers // 2))
        self._reading_s, self._encoding_s = 0.0, float("inf")  # of the last batch

    @contextmanager
    def reading(self) -> Iterator[None]:
        with self._turns if self._reading_s < self._encoding_s else nullcontext():
            began = time.perf_counter()
            yield
            self._reading_s = time.perf_counter() - began

    @contextmanager
    def encoding(self) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self._encoding_s = time.perf_counter() - began


@dataclass(frozen=True, slots=True)
class _Read(Generic[Kept]):
    position: int
    pixels: Vectors
    kept: Kept


def _read(
    encoder: ImageEncoder,
    position: int,
    file: ImageFile,
    keep: Callable[[ReadImage], Kept],
    limits: ImageLimits | None,
    draft_px: int | None,
) -> _Read[Kept] | Unusable:
    try:
        image = read_image(encoder, file, limits, draft_px=draft_px)
        return _Read(position, image.pixels, keep(image))
    except (ImageError, OSError) as error:
        return Unusable(position, file, error)


def _batches(files: Iterable[tuple[int, ImageFile]], size: int) -> Iterator[tuple[tuple[int, ImageFile], ...]]:
    remaining = iter(files)
    while batch := tuple(islice(remaining, size)):
        yield batch


def _naming(unusable: Unusable) -> ImageError | OSError:
    """The same error, saying which image it is about; the system's own errors name their file."""
    if isinstance(unusable.error, OSError):
        return unusable.error
    which = unusable.file if isinstance(unusable.file, Path) else f"image {unusable.position + 1}"
    return type(unusable.error)(f"{which}: {unusable.error}")
