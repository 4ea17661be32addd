"""API keys: tokens of 256 random bits, of which the service keeps the SHA-256 alone.

A password needs a slow hash because it can be guessed. A random token of 256 bits cannot, and a fast hash costs a
request about a microsecond.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from service.access.principal import Access, Principal

KeyState: TypeAlias = Literal["active", "revoked", "expired"]

_PREFIX = "inkseek"  # what scanners for leaked secrets can look for
_ID_BYTES = 6
_SECRET_BYTES = 32
_TOKEN = re.compile(rf"{_PREFIX}_([0-9a-f]{{{2 * _ID_BYTES}}})_[A-Za-z0-9_-]{{43}}")


class ApiKey(BaseModel):
    """One key as it is kept. `galleries` are names; none of them: all galleries."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key_id: str
    name: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    scopes: tuple[Access, ...]
    created_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    revoked_at: AwareDatetime | None = None
    galleries: tuple[str, ...] = ()
    rate_limit: str | None = None
    change_limit: str | None = None

    def state(self, now: datetime) -> KeyState:
        """What the key is good for at `now`; it expires at the very moment `expires_at`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and now >= self.expires_at else "active"

    def matches(self, token: str) -> bool:
        """Whether `token` is this key's, in a time that does not depend on where they differ."""
        return hmac.compare_digest(self.sha256, _sha256(token))

    @property
    def principal(self) -> Principal:
        """Who makes a request with this key."""
        return Principal(
            self.name,
            frozenset(self.scopes),
            frozenset(self.galleries) or None,
            self.key_id,
            self.rate_limit,
            self.change_limit,
        )


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made, and its token, which nobody can show again."""

    key: ApiKey
    token: str


def make_key(
    name: str,
    scopes: tuple[Access, ...],
    *,
    expires_at: datetime | None = None,
    galleries: tuple[str, ...] = (),
    rate_limit: str | None = None,
    change_limit: str | None = None,
) -> NewKey:
    """A key with a token of its own, valid from now on."""
    key_id = secrets.token_hex(_ID_BYTES)
    token = f"{_PREFIX}_{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    key = ApiKey(
        key_id=key_id,
        name=name,
        sha256=_sha256(token),
        scopes=scopes,
        created_at=datetime.now(UTC),
        expires_at=expires_at,
        galleries=galleries,
        rate_limit=rate_limit,
        change_limit=change_limit,
    )
    return NewKey(key, token)


def key_id_of(token: str) -> str | None:
    """The id of the key that `token` claims to be of; None for what is no token of ours."""
    match = _TOKEN.fullmatch(token)
    return match[1] if match else None


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
