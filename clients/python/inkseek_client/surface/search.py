"""Searching: one sketch, page after page, several sketches, and folders of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from typing import Unpack

from inkseek_client.calls import operation
from inkseek_client.calls import search as calls
from inkseek_client.calls.search import Frame, Narrowing, PreviewOptions, SearchOptions, VectorOptions
from inkseek_client.errors import ServiceProblem, TooLarge, TryLater
from inkseek_client.folder import FileAnswer, Progress, batches, outcomes, sketch_files
from inkseek_client.inputs import FilePath, Sketch, Vector, read_sketch
from inkseek_client.schemas.encoder import EncoderDescription
from inkseek_client.schemas.search import Hit, SearchAnswer
from inkseek_client.sending import AsyncSender, Sender

PAGE = 100
"""Photos that an iteration requests at a time."""


class Search(Sender):
    """Methods that search. All raise InkseekClientError; those that read files also OSError."""

    def search(
        self, sketch: Sketch, k: int = 10, *, cursor: str | None = None, **options: Unpack[SearchOptions]
    ) -> SearchAnswer:
        """The k photos (1 to 200) most like a sketch, best first. `cursor`: `next_cursor` of the page before."""
        return self._send(calls.search(read_sketch(sketch), k, cursor, options))

    def iter_search(self, sketch: Sketch, *, page: int = PAGE, **options: Unpack[SearchOptions]) -> Iterator[Hit]:
        """Photos in the order of their ranks, requested `page` at a time as they are used; at most 10,000.

        Raises CursorStale when the gallery changes in between.
        """
        body, cursor = read_sketch(sketch), None
        while True:
            answer = self._send(calls.search(body, page, cursor, options))
            yield from answer.results
            if (cursor := answer.next_cursor) is None:
                return

    def search_vector(
        self,
        vector: Vector,
        bundle: str,
        k: int = 10,
        *,
        mirrored: Vector | None = None,
        cursor: str | None = None,
        **options: Unpack[VectorOptions],
    ) -> SearchAnswer:
        """The same for a sketch that was encoded here: its unit embedding, by the encoder of the bundle with that id.

        `mirrored`: the embedding of the mirrored drawing, for galleries where `encoder().mirrored_helps`. Raises
        Conflict where another bundle is in service, ValueError for numbers that are none of a unit vector.
        """
        return self._send(calls.search_vector(vector, bundle, mirrored, k, cursor, options))

    def encoder(self) -> EncoderDescription:
        """What it takes to encode a sketch for `search_vector`."""
        return self._send(calls.encoder())

    def encoder_file(self, bundle_id: str) -> bytes:
        """The sketch encoder in ONNX. Raises NotFound where the operator does not give it away."""
        return self._send(calls.encoder_file(bundle_id))

    def search_batch(
        self, sketches: Sequence[Sketch], k: int = 10, **options: Unpack[SearchOptions]
    ) -> list[SearchAnswer | ServiceProblem]:
        """Several sketches in one request, at most `info().limits.max_batch_items`: an answer or an error for each."""
        return outcomes(self._send(calls.search_batch(sketches, k, options)))

    def search_folder(
        self, folder: FilePath, k: int = 10, *, progress: Progress | None = None, **options: Unpack[SearchOptions]
    ) -> Iterator[FileAnswer]:
        """All sketches below a folder, by path, in batches that the service's limits allow.

        A sketch that cannot be answered stops no other. `progress`: called with sketches done, and of how many.
        """
        files = sketch_files(folder)
        limits = self._send(operation.info()).limits
        done = 0
        for batch in batches(files, limits.max_batch_items, limits.max_upload_bytes):
            for path, outcome in zip(batch, self._outcomes(batch, k, options), strict=True):
                # An item that met a full queue: the batch was answered, so that no retry has seen it.
                again = isinstance(outcome, TryLater)
                yield FileAnswer(path, self._alone(path, k, options) if again else outcome)
            done += len(batch)
            if progress:
                progress(done, len(files))

    def preview(self, sketch: Sketch, frame: Frame | None = None, **options: Unpack[PreviewOptions]) -> bytes:
        """The sketch as the encoder sees it in a search with these options, a PNG."""
        return self._send(calls.preview(sketch, frame, options))

    def similar(
        self, photo_id: str, k: int = 10, *, cursor: str | None = None, **options: Unpack[Narrowing]
    ) -> SearchAnswer:
        """The k photos most like a photo of the gallery, itself left out."""
        return self._send(calls.similar(photo_id, k, cursor, options))

    def iter_similar(self, photo_id: str, *, page: int = PAGE, **options: Unpack[Narrowing]) -> Iterator[Hit]:
        """As `iter_search`, by a photo."""
        cursor = None
        while True:
            answer = self._send(calls.similar(photo_id, page, cursor, options))
            yield from answer.results
            if (cursor := answer.next_cursor) is None:
                return

    def _outcomes(self, batch: Sequence[Sketch], k: int, options: SearchOptions) -> list[SearchAnswer | ServiceProblem]:
        try:
            return self.search_batch(batch, k, **options)
        except TooLarge as error:
            if len(batch) > 1:
                raise
            return [error]

    def _alone(self, sketch: Sketch, k: int, options: SearchOptions) -> SearchAnswer | ServiceProblem:
        try:
            return self.search(sketch, k, **options)
        except ServiceProblem as error:
            return error


class AsyncSearch(AsyncSender):
    """The same for asyncio."""

    async def search(
        self, sketch: Sketch, k: int = 10, *, cursor: str | None = None, **options: Unpack[SearchOptions]
    ) -> SearchAnswer:
        """As `Client.search`."""
        body = await self._made(partial(read_sketch, sketch))
        return await self._send(calls.search(body, k, cursor, options))

    async def iter_search(
        self, sketch: Sketch, *, page: int = PAGE, **options: Unpack[SearchOptions]
    ) -> AsyncIterator[Hit]:
        """As `Client.iter_search`, for `async for`."""
        body, cursor = await self._made(partial(read_sketch, sketch)), None
        while True:
            answer = await self._send(calls.search(body, page, cursor, options))
            for hit in answer.results:
                yield hit
            if (cursor := answer.next_cursor) is None:
                return

    async def search_vector(
        self,
        vector: Vector,
        bundle: str,
        k: int = 10,
        *,
        mirrored: Vector | None = None,
        cursor: str | None = None,
        **options: Unpack[VectorOptions],
    ) -> SearchAnswer:
        """As `Client.search_vector`."""
        return await self._send(calls.search_vector(vector, bundle, mirrored, k, cursor, options))

    async def encoder(self) -> EncoderDescription:
        """As `Client.encoder`."""
        return await self._send(calls.encoder())

    async def encoder_file(self, bundle_id: str) -> bytes:
        """As `Client.encoder_file`."""
        return await self._send(calls.encoder_file(bundle_id))

    async def search_batch(
        self, sketches: Sequence[Sketch], k: int = 10, **options: Unpack[SearchOptions]
    ) -> list[SearchAnswer | ServiceProblem]:
        """As `Client.search_batch`."""
        call = await self._made(partial(calls.search_batch, sketches, k, options))
        return outcomes(await self._send(call))

    async def search_folder(
        self, folder: FilePath, k: int = 10, *, progress: Progress | None = None, **options: Unpack[SearchOptions]
    ) -> AsyncIterator[FileAnswer]:
        """As `Client.search_folder`, for `async for`."""
        files = await self._made(partial(sketch_files, folder))
        limits = (await self._send(operation.info())).limits
        done = 0
        for batch in batches(files, limits.max_batch_items, limits.max_upload_bytes):
            for path, outcome in zip(batch, await self._outcomes(batch, k, options), strict=True):
                again = isinstance(outcome, TryLater)
                yield FileAnswer(path, await self._alone(path, k, options) if again else outcome)
            done += len(batch)
            if progress:
                progress(done, len(files))

    async def preview(self, sketch: Sketch, frame: Frame | None = None, **options: Unpack[PreviewOptions]) -> bytes:
        """As `Client.preview`."""
        return await self._send(await self._made(partial(calls.preview, sketch, frame, options)))

    async def similar(
        self, photo_id: str, k: int = 10, *, cursor: str | None = None, **options: Unpack[Narrowing]
    ) -> SearchAnswer:
        """As `Client.similar`."""
        return await self._send(calls.similar(photo_id, k, cursor, options))

    async def iter_similar(
        self, photo_id: str, *, page: int = PAGE, **options: Unpack[Narrowing]
    ) -> AsyncIterator[Hit]:
        """As `Client.iter_similar`, for `async for`."""
        cursor = None
        while True:
            answer = await self._send(calls.similar(photo_id, page, cursor, options))
            for hit in answer.results:
                yield hit
            if (cursor := answer.next_cursor) is None:
                return

    async def _outcomes(
        self, batch: Sequence[Sketch], k: int, options: SearchOptions
    ) -> list[SearchAnswer | ServiceProblem]:
        try:
            return await self.search_batch(batch, k, **options)
        except TooLarge as error:
            if len(batch) > 1:
                raise
            return [error]

    async def _alone(self, sketch: Sketch, k: int, options: SearchOptions) -> SearchAnswer | ServiceProblem:
        try:
            return await self.search(sketch, k, **options)
        except ServiceProblem as error:
            return error
