"""Searches of an index on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image

from service.config import Settings
from service.http.schemas.answers import search_json
from service.http.schemas.base import PhotoUrls
from service.runtime.serving import open_retriever
from service.search.query import SearchQuery
from service.search.retriever import Retriever
from service.sketches.reading import read_sketch
from service.sketches.sketch import Sketch


class LocalGallery:
    """An index in this process. Methods raise ImageError, RequestError, IndexArtifactError."""

    def __init__(self, retriever: Retriever, settings: Settings) -> None:
        """`settings`: for the limits of drawings."""
        self._retriever = retriever
        self._settings = settings

    def search(self, sketch: bytes, query: SearchQuery) -> dict[str, Any]:
        """The answer; its URLs are those that a service would have."""
        return search_json(self._retriever.search(self._read(sketch), query), PhotoUrls())

    def view(self, sketch: bytes, query: SearchQuery) -> Image.Image:
        """The sketch as the encoder sees it in such a search."""
        return self._retriever.view(self._read(sketch), query)

    def thumbnail(self, photo_id: str) -> bytes:
        """As the index has it."""
        return self._retriever.gallery().view.thumbnail(photo_id).jpeg

    def _read(self, sketch: bytes) -> Sketch:
        return read_sketch(sketch, self._settings.stroke_limits)


@contextmanager
def open_local(settings: Settings) -> Iterator[LocalGallery]:
    """The index of the settings. Raises BundleError, IndexArtifactError."""
    with open_retriever(settings) as retriever:
        yield LocalGallery(retriever, settings)
