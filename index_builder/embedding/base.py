"""The port of every photo embedder: photos of a source in, vectors and facts out, in the same order."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Protocol

from index_builder.artifact.photos.record import Thumbnail
from index_builder.report import Skipped
from index_builder.sources.base import PhotoSource, SourcePhoto
from models.arrays import Vectors


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """What the index stores of a photo's file; `width` and `height` of the upright file in pixels.

    `repairs`: what was wrong with the file and did not matter, for people. `blank`: all of it has one colour.
    """

    sha256: str
    width: int
    height: int
    frames: int
    thumbnail: Thumbnail
    repairs: tuple[str, ...] = ()
    blank: bool = False


@dataclass(frozen=True, slots=True)
class EmbeddedPhoto:
    """A photo with its unit embedding (E,). Its pixels are gone by now, so that a finished batch is small."""

    photo: SourcePhoto
    facts: PhotoFacts
    vector: Vectors


class PhotoEmbedder(Protocol):
    """Embeds on one machine or on many; ids and order are those of its input either way."""

    def embed(
        self, source: PhotoSource, photos: Iterable[SourcePhoto]
    ) -> Generator[EmbeddedPhoto | Skipped, None, None]:
        """One outcome per photo, in order; `photos` is drawn as fast as outcomes are. Closed early, it ends its work.

        What is wrong with one photo is an outcome. Errors of the encoder itself (a broken model, no memory on the
        device) are raised.
        """
