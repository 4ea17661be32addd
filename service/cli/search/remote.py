"""Searches of a running service, by the package inkseek-client."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from PIL import Image

from service.errors import ClientNotInstalled, RemoteFailed
from service.search.query import SearchQuery

if TYPE_CHECKING:
    from inkseek_client import Client
    from inkseek_client.calls.search import PreviewOptions, SearchOptions


class RemoteGallery:
    """A gallery of a running service. Methods raise the client's errors, which `open_remote` translates."""

    def __init__(self, client: Client) -> None:
        """`client`: open, and for that gallery."""
        self._client = client

    def search(self, sketch: bytes, query: SearchQuery) -> dict[str, Any]:
        """The service's answer as JSON."""
        answer = self._client.search(sketch, query.k, **_options(query))
        return answer.model_dump(mode="json", exclude_unset=True)

    def view(self, sketch: bytes, query: SearchQuery) -> Image.Image:
        """The sketch as the service's encoder sees it in such a search."""
        given = _options(query)
        options: PreviewOptions = {"category": given["category"]}
        if "focus" in given:
            options["focus"] = given["focus"]
        return Image.open(io.BytesIO(self._client.preview(sketch, given.get("frame"), **options)))

    def thumbnail(self, photo_id: str) -> bytes:
        """A photo's JPEG of at most 256 px."""
        return self._client.thumbnail(photo_id)


@contextmanager
def open_remote(url: str, key: str | None, gallery: str | None) -> Iterator[RemoteGallery]:
    """The service's gallery (None: the default one) with that API key. Raises ClientNotInstalled, RemoteFailed."""
    try:
        from inkseek_client import Client, InkseekClientError, ServiceProblem  # an extra
    except ImportError as error:
        raise ClientNotInstalled("--url needs inkseek-client: pip install 'inkseek[client]'") from error
    try:
        with Client(url, key=key, gallery=gallery) as client:
            yield RemoteGallery(client)
    except InkseekClientError as error:
        code = error.code if isinstance(error, ServiceProblem) else None
        raise RemoteFailed(str(error), kind=type(error).__name__, code=code) from error


def _options(query: SearchQuery) -> SearchOptions:
    """The route's parameters; an older service need not know those that are left at their defaults."""
    given: SearchOptions = {"category": query.categories, "filter": query.filters}
    if query.min_score is not None:
        given["min_score"] = query.min_score
    if query.exact:
        given["exact"] = True
    if not query.adapt:
        given["adapt"] = False
    if query.profile is not None:
        given["profile"] = query.profile
    if query.focus is not None:
        given["focus"] = query.focus
    if query.mirror != "auto":
        given["mirror"] = query.mirror
    if query.frame != "auto":
        given["frame"] = query.frame
    if query.group_duplicates:
        given["group_duplicates"] = True
    if query.text:
        given["text"] = query.text
    return given
