"""What `inkseek search` needs of a gallery, wherever that is."""

from __future__ import annotations

from typing import Any, Protocol

from PIL import Image

from service.search.query import SearchQuery


class Searched(Protocol):
    """A gallery. `sketch` is a file's content: an image, an SVG, or JSON with strokes."""

    def search(self, sketch: bytes, query: SearchQuery) -> dict[str, Any]:
        """The answer as POST /v1/search has it."""

    def view(self, sketch: bytes, query: SearchQuery) -> Image.Image:
        """The sketch as the encoder sees it in such a search."""

    def thumbnail(self, photo_id: str) -> bytes:
        """A photo's thumbnail, a JPEG."""
