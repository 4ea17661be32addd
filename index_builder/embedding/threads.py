"""The embedder of one machine: threads that read, decode and encode, a bounded number of photos ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from functools import partial

import numpy as np

from index_builder.artifact.photos.thumbnails import THUMBNAIL_PX
from index_builder.embedding.base import EmbeddedPhoto, PhotoFacts
from index_builder.embedding.reader import facts_of, read_bytes, skipped
from index_builder.embedding.stage_times import StageTimes, TimedEncoder, timed
from index_builder.report import Skipped
from index_builder.sources.base import PhotoSource, SourcePhoto
from models.bundle import ImageEncoder, ImageLimits, Pace, ReadImage, Unusable, embed_stream

_UNIT_TOLERANCE = 1e-3


class ThreadedEmbedder:
    """A `PhotoEmbedder` over one encoder. Decoding and encoding overlap: both release the GIL."""

    def __init__(self, encoder: ImageEncoder, limits: ImageLimits, pace: Pace, times: StageTimes | None = None) -> None:
        """`limits` of a photo's bytes and pixels; `pace`: threads, and photos that each takes at a time.

        `times`: where the seconds of read, decode, prepare, thumbnail and encode are counted.
        """
        self._times = times or StageTimes()
        self._encoder = TimedEncoder(encoder, self._times)
        self._limits = limits
        self._pace = pace

    def embed(
        self, source: PhotoSource, photos: Iterable[SourcePhoto]
    ) -> Generator[EmbeddedPhoto | Skipped, None, None]:
        """One outcome per photo, in order; closing the generator early ends its threads.

        Raises what the encoder raises.
        """
        # Photos whose files were drawn but whose outcomes are still to come; outcomes keep the order of the files.
        ahead: deque[SourcePhoto] = deque()

        def files() -> Iterator[Callable[[], bytes]]:
            for photo in photos:
                ahead.append(photo)
                yield timed(self._times, "read", partial(read_bytes, source, photo, self._limits.max_bytes))

        def facts(image: ReadImage) -> PhotoFacts:
            with self._times.stage("thumbnail"):
                return facts_of(image)

        # A JPEG is decoded at the smallest scale that still feeds both the encoder and the thumbnail.
        draft_px = max(THUMBNAIL_PX, self._encoder.preprocess.size_px)
        outcomes = embed_stream(self._encoder, files(), facts, self._limits, draft_px=draft_px, pace=self._pace)
        # A caller that stops early, by an error say, must not leave threads that go on decoding.
        with closing(outcomes):
            for outcome in outcomes:
                photo = ahead.popleft()
                if isinstance(outcome, Unusable):
                    yield skipped(photo, outcome.error)
                else:
                    yield _checked(EmbeddedPhoto(photo, outcome.kept, outcome.vector))


def _checked(embedded: EmbeddedPhoto) -> EmbeddedPhoto | Skipped:
    length = float(np.linalg.norm(embedded.vector))
    if abs(length - 1.0) < _UNIT_TOLERANCE:  # false for NaN, too
        return embedded
    photo = embedded.photo
    return Skipped("no_embedding", photo.path, f"the encoder's vector has length {length}, not 1", photo.photo_id)
