"""Few-shot adaptation: adapters fitted, listed, activated; feedback collected for them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Unpack

from inkseek_client.calls import adapters as calls
from inkseek_client.calls.adapters import FitOptions
from inkseek_client.inputs import Pair, PhotoReference, Sketch, Target
from inkseek_client.schemas.adapters import Adapter, Adapters, Feedback, FeedbackList, Profiles
from inkseek_client.schemas.jobs import Job
from inkseek_client.sending import AsyncSender, Sender


class AdapterCalls(Sender):
    """Methods that adapt. A `target` is a category's name or a Profile. All raise InkseekClientError."""

    def adapt(
        self,
        target: Target,
        pairs: Iterable[Pair],
        *,
        photos: Iterable[PhotoReference] = (),
        **options: Unpack[FitOptions],
    ) -> Adapter:
        """Fit an adapter to pairs of a sketch and its photo, and activate it where a gain is expected.

        A photo is the id of one in the gallery (str), or a file to upload (Path or bytes). `photos`: further ones of a
        category, without a drawing. It is never fitted twice for one call: when the connection breaks in the middle,
        Unreachable is raised and `adapters` tells. Raises OSError for files.
        """
        return self._send(calls.fit(target, pairs, photos, options))

    def adapt_deep(self, category: str, pairs: Iterable[Pair], **options: Unpack[FitOptions]) -> Job:
        """Queue an adapter whose projection is tuned, too: a job of seconds to a minute, see `wait_for`.

        Photos are ids of the category's. The job's `detail` says at the end whether the adapter is active, and what is
        expected of it. A key sees and cancels the jobs that it queued. Raises OSError for files.
        """
        return self._send(calls.fit_deep(category, pairs, options))

    def adapters(self, target: Target) -> Adapters:
        """All adapters of a category or a profile, the newest first."""
        return self._send(calls.listing(target))

    def adapter(self, target: Target, adapter_id: str) -> Adapter:
        """One adapter and its figures. Raises NotFound."""
        return self._send(calls.show(target, adapter_id))

    def activate_adapter(self, target: Target, adapter_id: str) -> Adapter:
        """Activate it whatever the gate said. Raises NotFound; Conflict where it is of another bundle."""
        return self._send(calls.activate(target, adapter_id))

    def rollback_adapter(self, target: Target) -> str | None:
        """Activate the adapter before; its id, or None where none is active now. Raises Conflict if none was."""
        return self._send(calls.rollback(target)).active

    def delete_adapter(self, target: Target, adapter_id: str, *, photos: bool = False) -> None:
        """Delete it, with `photos` also the photos that came with it. Raises NotFound."""
        self._send(calls.delete(target, adapter_id, photos))

    def profiles(self) -> Profiles:
        """The profiles that have style adapters."""
        return self._send(calls.profiles())

    def add_feedback(self, sketch: Sketch, photo_id: str) -> Feedback:
        """Keep a sketch with the photo that it was meant to find. Raises Denied where none is collected, OSError."""
        return self._send(calls.add_feedback(sketch, photo_id))

    def feedback(self, category: str | None = None) -> FeedbackList:
        """The pairs that are kept, the newest first; None: of all categories."""
        return self._send(calls.feedback(category))

    def delete_feedback(self, feedback_id: str) -> None:
        """Delete one pair with its sketch. Raises NotFound."""
        self._send(calls.delete_feedback(feedback_id))

    def clear_feedback(self, category: str | None = None) -> None:
        """Delete the pairs of a category; None: all of them."""
        self._send(calls.clear_feedback(category))


class AsyncAdapterCalls(AsyncSender):
    """The same for asyncio."""

    async def adapt(
        self,
        target: Target,
        pairs: Iterable[Pair],
        *,
        photos: Iterable[PhotoReference] = (),
        **options: Unpack[FitOptions],
    ) -> Adapter:
        """As `Client.adapt`."""
        return await self._send(await self._made(partial(calls.fit, target, pairs, photos, options)))

    async def adapt_deep(self, category: str, pairs: Iterable[Pair], **options: Unpack[FitOptions]) -> Job:
        """As `Client.adapt_deep`."""
        return await self._send(await self._made(partial(calls.fit_deep, category, pairs, options)))

    async def adapters(self, target: Target) -> Adapters:
        """As `Client.adapters`."""
        return await self._send(calls.listing(target))

    async def adapter(self, target: Target, adapter_id: str) -> Adapter:
        """As `Client.adapter`."""
        return await self._send(calls.show(target, adapter_id))

    async def activate_adapter(self, target: Target, adapter_id: str) -> Adapter:
        """As `Client.activate_adapter`."""
        return await self._send(calls.activate(target, adapter_id))

    async def rollback_adapter(self, target: Target) -> str | None:
        """As `Client.rollback_adapter`."""
        return (await self._send(calls.rollback(target))).active

    async def delete_adapter(self, target: Target, adapter_id: str, *, photos: bool = False) -> None:
        """As `Client.delete_adapter`."""
        await self._send(calls.delete(target, adapter_id, photos))

    async def profiles(self) -> Profiles:
        """As `Client.profiles`."""
        return await self._send(calls.profiles())

    async def add_feedback(self, sketch: Sketch, photo_id: str) -> Feedback:
        """As `Client.add_feedback`."""
        return await self._send(await self._made(partial(calls.add_feedback, sketch, photo_id)))

    async def feedback(self, category: str | None = None) -> FeedbackList:
        """As `Client.feedback`."""
        return await self._send(calls.feedback(category))

    async def delete_feedback(self, feedback_id: str) -> None:
        """As `Client.delete_feedback`."""
        await self._send(calls.delete_feedback(feedback_id))

    async def clear_feedback(self, category: str | None = None) -> None:
        """As `Client.clear_feedback`."""
        await self._send(calls.clear_feedback(category))
