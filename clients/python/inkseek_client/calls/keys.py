"""Calls about API keys."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict
from urllib.parse import quote

from inkseek_client.call import Call, nothing, reads
from inkseek_client.schemas.keys import Keys, MadeKey
from inkseek_client.schemas.operation import Access


class KeyOptions(TypedDict, total=False):
    """How long a key is good, where, and for how much; left out: for good, everywhere, the service's limits.

    `expires_at` has a time zone. Limits are such as `10/second; 2000/day`.
    """

    expires_at: datetime | None
    galleries: Sequence[str]
    rate_limit: str | None
    change_limit: str | None


def keys() -> Call[Keys]:
    """GET /v1/keys."""
    return Call("GET", "/v1/keys", reads(Keys), of_gallery=False)


def create(name: str, scopes: Sequence[Access], options: KeyOptions) -> Call[MadeKey]:
    """POST /v1/keys; each time it is sent makes another key."""
    expires_at = options.get("expires_at")
    sent = {**options, "name": name, "scopes": scopes, "expires_at": expires_at.isoformat() if expires_at else None}
    body = json.dumps({member: value for member, value in sent.items() if value is not None}, default=list).encode()
    return Call(
        "POST",
        "/v1/keys",
        reads(MadeKey),
        content=body,
        content_type="application/json",
        idempotent=False,
        of_gallery=False,
    )


def revoke(key_id: str) -> Call[None]:
    """DELETE /v1/keys/{key_id}."""
    return Call("DELETE", f"/v1/keys/{quote(key_id, safe='')}", nothing, of_gallery=False)
