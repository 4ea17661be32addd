"""Photos of the gallery: listed, shown, stored, described and deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Unpack

from inkseek_client.calls import photos as calls
from inkseek_client.calls.photos import Listing
from inkseek_client.inputs import Change, FilePath, Upload
from inkseek_client.schemas.gallery import Categories, Galleries, ListedPhoto, Photo, Photos
from inkseek_client.schemas.jobs import Job
from inkseek_client.sending import AsyncSender, Sender

PAGE = 1_000
"""Photos that an iteration requests at a time, the most that a page may have."""


class PhotoCalls(Sender):
    """Methods about photos. All raise InkseekClientError; those that read files also OSError."""

    def photos(self, limit: int = 100, *, cursor: str | None = None, **options: Unpack[Listing]) -> Photos:
        """A page of the gallery by ids, `limit` (1 to 1000) photos."""
        return self._send(calls.page(limit, cursor, options))

    def iter_photos(self, *, page: int = PAGE, **options: Unpack[Listing]) -> Iterator[ListedPhoto]:
        """All photos, requested `page` at a time as they are used. Raises CursorStale when the gallery changes."""
        cursor = None
        while True:
            answer = self._send(calls.page(page, cursor, options))
            yield from answer.photos
            if (cursor := answer.next_cursor) is None:
                return

    def photo(self, photo_id: str) -> Photo:
        """A photo's record. Raises NotFound."""
        return self._send(calls.record(photo_id))

    def thumbnail(self, photo_id: str) -> bytes:
        """A JPEG of at most 256 px. Raises NotFound."""
        return self._send(calls.picture(photo_id, "thumbnail"))

    def image(self, photo_id: str) -> bytes:
        """The original; the thumbnail where the original is not at hand. Raises NotFound."""
        return self._send(calls.picture(photo_id, "image"))

    def put_photo(
        self,
        photo_id: str,
        file: FilePath | bytes,
        *,
        category: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Photo:
        """Store a photo under an id; searches that begin afterwards find it.

        `category` None: the first part of the id; "": none.
        """
        return self._send(calls.put(Upload(photo_id, file, category, metadata)))

    def describe_photo(
        self, photo_id: str, *, category: str | None = None, metadata: Mapping[str, Any] | None = None
    ) -> Photo:
        """Change its category or values of its metadata, of which None takes one away. Raises NotFound."""
        return self._send(calls.describe(photo_id, category, metadata))

    def delete_photo(self, photo_id: str) -> None:
        """Delete a photo, uploaded or indexed; a file in the gallery's folder stays. Raises NotFound."""
        self._send(calls.delete(photo_id))

    def change_photos(self, changes: Iterable[Change]) -> Job:
        """Uploads, descriptions and deletions as one job, done in their order: see `wait_for`."""
        return self._send(calls.change(changes))

    def categories(self) -> Categories:
        """Categories by name, with their numbers of photos."""
        return self._send(calls.categories())

    def galleries(self) -> Galleries:
        """The galleries that the key may see."""
        return self._send(calls.galleries())


class AsyncPhotoCalls(AsyncSender):
    """The same for asyncio."""

    async def photos(self, limit: int = 100, *, cursor: str | None = None, **options: Unpack[Listing]) -> Photos:
        """As `Client.photos`."""
        return await self._send(calls.page(limit, cursor, options))

    async def iter_photos(self, *, page: int = PAGE, **options: Unpack[Listing]) -> AsyncIterator[ListedPhoto]:
        """As `Client.iter_photos`, for `async for`."""
        cursor = None
        while True:
            answer = await self._send(calls.page(page, cursor, options))
            for photo in answer.photos:
                yield photo
            if (cursor := answer.next_cursor) is None:
                return

    async def photo(self, photo_id: str) -> Photo:
        """As `Client.photo`."""
        return await self._send(calls.record(photo_id))

    async def thumbnail(self, photo_id: str) -> bytes:
        """As `Client.thumbnail`."""
        return await self._send(calls.picture(photo_id, "thumbnail"))

    async def image(self, photo_id: str) -> bytes:
        """As `Client.image`."""
        return await self._send(calls.picture(photo_id, "image"))

    async def put_photo(
        self,
        photo_id: str,
        file: FilePath | bytes,
        *,
        category: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Photo:
        """As `Client.put_photo`."""
        return await self._send(await self._made(partial(calls.put, Upload(photo_id, file, category, metadata))))

    async def describe_photo(
        self, photo_id: str, *, category: str | None = None, metadata: Mapping[str, Any] | None = None
    ) -> Photo:
        """As `Client.describe_photo`."""
        return await self._send(calls.describe(photo_id, category, metadata))

    async def delete_photo(self, photo_id: str) -> None:
        """As `Client.delete_photo`."""
        await self._send(calls.delete(photo_id))

    async def change_photos(self, changes: Iterable[Change]) -> Job:
        """As `Client.change_photos`."""
        return await self._send(await self._made(partial(calls.change, changes)))

    async def categories(self) -> Categories:
        """As `Client.categories`."""
        return await self._send(calls.categories())

    async def galleries(self) -> Galleries:
        """As `Client.galleries`."""
        return await self._send(calls.galleries())
