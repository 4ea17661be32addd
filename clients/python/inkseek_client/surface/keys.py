"""API keys: listed, made and revoked, with a key that has the scope `admin`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from inkseek_client.calls import keys as calls
from inkseek_client.calls.keys import KeyOptions
from inkseek_client.schemas.keys import Keys, MadeKey
from inkseek_client.schemas.operation import Access
from inkseek_client.sending import AsyncSender, Sender


class KeyCalls(Sender):
    """Methods about keys. All raise InkseekClientError; Denied for scopes that the client's own key lacks."""

    def keys(self) -> Keys:
        """What each key grants, when it was last used, what is left of its limits; never a secret."""
        return self._send(calls.keys())

    def create_key(self, name: str, scopes: Sequence[Access], **options: Unpack[KeyOptions]) -> MadeKey:
        """Make a key; its `key` is shown this once. The client's own key needs its scopes and galleries.

        It is never made twice for one call: when the connection breaks in the middle, Unreachable is raised and `keys`
        tells. Every process of the service accepts it within a second.
        """
        return self._send(calls.create(name, scopes, options))

    def revoke_key(self, key_id: str) -> None:
        """Revoke a key for good, within a second. Raises NotFound."""
        self._send(calls.revoke(key_id))


class AsyncKeyCalls(AsyncSender):
    """The same for asyncio."""

    async def keys(self) -> Keys:
        """As `Client.keys`."""
        return await self._send(calls.keys())

    async def create_key(self, name: str, scopes: Sequence[Access], **options: Unpack[KeyOptions]) -> MadeKey:
        """As `Client.create_key`."""
        return await self._send(calls.create(name, scopes, options))

    async def revoke_key(self, key_id: str) -> None:
        """As `Client.revoke_key`."""
        await self._send(calls.revoke(key_id))
