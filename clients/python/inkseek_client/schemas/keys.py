"""API keys, without their secrets."""

from __future__ import annotations

from typing import Literal

from inkseek_client.schemas.base import Schema
from inkseek_client.schemas.operation import Access


class LimitWindow(Schema):
    """One window of a key's limits: of `quota` in `window_s` seconds, `remaining` are left for `reset_s` seconds."""

    policy: Literal["requests", "changes"]
    quota: int
    window_s: int
    remaining: int
    reset_s: int


class Key(Schema):
    """A key; none of `galleries`: it is for all of them. `last_used_at` is known to the minute, or not at all."""

    key_id: str
    name: str
    state: Literal["active", "revoked", "expired"]
    scopes: tuple[Access, ...]
    galleries: tuple[str, ...]
    created_at: str
    expires_at: str | None = None
    revoked_at: str | None = None
    last_used_at: str | None = None
    rate_limit: str | None = None
    change_limit: str | None = None
    limits: tuple[LimitWindow, ...]


class Keys(Schema):
    """Keys in the order in which they were made, revoked and expired ones too."""

    keys: tuple[Key, ...]


class MadeKey(Key):
    """A key that was just made; `key` is what has to be sent, and nobody can show it again."""

    key: str
