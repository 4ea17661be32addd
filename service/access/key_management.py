"""Keys managed by requests: listed, made and revoked by whoever has a key with the scope `admin`.

Nobody grants more than they have: a key manages keys whose scopes and galleries are among its own, and what it makes
expires no later. A key for `/metrics` alone therefore opens no search, and one for a gallery no other gallery.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from service.access.errors import KeyNotFound
from service.access.key_file import add_key, read_keys, revoke_key
from service.access.keys import ApiKey, NewKey, make_key
from service.access.principal import Access, Principal
from service.errors import AccessDenied

_log = logging.getLogger("inkseek.service")


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """The key that somebody wants; the fields are those of an ApiKey."""

    name: str
    scopes: tuple[Access, ...]
    expires_at: datetime | None = None
    galleries: tuple[str, ...] = ()
    rate_limit: str | None = None
    change_limit: str | None = None


def visible_keys(path: Path, principal: Principal) -> tuple[ApiKey, ...]:
    """The keys whose galleries `principal` may see, in the order in which they were made. Raises KeysUnreadable."""
    return tuple(key for key in read_keys(path) if _are_seen(key.galleries, principal))


def create(path: Path, principal: Principal, wanted: KeyRequest) -> NewKey:
    """Make a key and keep it. Raises AccessDenied, KeysUnreadable, KeysUnwritable."""
    own = _own_key(path, principal)
    _reject_excess(principal, wanted.scopes, wanted.galleries, "makes")
    if own.expires_at is not None and (wanted.expires_at is None or wanted.expires_at > own.expires_at):
        raise AccessDenied(f"the key that makes it expires at {own.expires_at.isoformat()}: the new one may not later")
    made = make_key(
        wanted.name,
        wanted.scopes,
        expires_at=wanted.expires_at,
        galleries=wanted.galleries,
        rate_limit=wanted.rate_limit,
        change_limit=wanted.change_limit,
    )
    add_key(path, made.key)
    _log.info(
        "key %s for %r was made by %s (key %s), scopes: %s",
        made.key.key_id,
        made.key.name,
        principal.name,
        principal.key_id,
        ", ".join(made.key.scopes),
    )
    return made


def revoke(path: Path, principal: Principal, key_id: str) -> ApiKey:
    """Revoke a key for good. Raises KeyNotFound, AccessDenied, KeysUnreadable, KeysUnwritable."""
    _own_key(path, principal)
    key = next((key for key in visible_keys(path, principal) if key.key_id == key_id), None)
    if key is None:
        raise KeyNotFound(f"there is no key {key_id[:80]!r}")
    _reject_excess(principal, key.scopes, key.galleries, "revokes")
    revoked = revoke_key(path, key_id)
    _log.info("key %s for %r was revoked by %s (key %s)", key_id, revoked.name, principal.name, principal.key_id)
    return revoked


def _own_key(path: Path, principal: Principal) -> ApiKey:
    """The key of the request. Raises AccessDenied where it has none: the first key would lock out everybody else."""
    own = next((key for key in read_keys(path) if key.key_id == principal.key_id), None)
    if own is None or own.state(datetime.now(UTC)) != "active":
        raise AccessDenied(
            "keys are made and revoked with a key of the scope 'admin'; the first one is made where the service runs: "
            "inkseek keys create NAME --scope admin"
        )
    return own


def _reject_excess(principal: Principal, scopes: Iterable[Access], galleries: tuple[str, ...], does: str) -> None:
    """Raises AccessDenied for scopes or galleries that the principal lacks."""
    if lacking := [scope for scope in scopes if scope not in principal.access]:
        raise AccessDenied(f"a key {does} none that grants more than itself: the scope {lacking[0]!r} is missing")
    if not _are_seen(galleries, principal):
        own = ", ".join(sorted(principal.galleries or ()))
        raise AccessDenied(f"a key {does} none for other galleries than its own: {own}")


def _are_seen(galleries: tuple[str, ...], principal: Principal) -> bool:
    """Whether all galleries of a key are among the principal's; a key without any is for all of them."""
    return principal.galleries is None or (bool(galleries) and principal.galleries.issuperset(galleries))
