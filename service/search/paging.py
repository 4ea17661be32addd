"""Pages of a ranking: where the next one begins, as an opaque text that is bound to the query and to the gallery.

A page counts from the beginning of the exact ranking, which is the same each time. A first page that an approximate
index has proposed may lack photos of that ranking: its cursor names the rows that it had, and the pages behind it are
the ranking without those, so that none comes twice and none is missed.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from index_builder.artifact import SearchHit
from service.errors import CursorInvalid, CursorStale

MOST_RANKED = 10_000
"""Photos that the pages of one ranking have together: each page ranks anew all that come before it."""

CURSOR_CHARACTERS = 4_096
_VERSION = 1
_DIGEST_BYTES = 9


class _Content(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    version: int
    query: str
    state: str
    position: Any


_decoder = msgspec.json.Decoder(_Content)


def digest_of(*parts: object) -> str:
    """A short text that is equal for equal parts: bytes as they are, others as their `repr`."""
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for part in parts:
        data = part if isinstance(part, bytes) else repr(part).encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return base64.urlsafe_b64encode(digest.digest()).decode()


def encode_cursor(query: str, state: str, position: object) -> str:
    """`query`, `state`: digests of what was searched for and of what was searched; `position`: JSON."""
    return base64.urlsafe_b64encode(msgspec.json.encode((_VERSION, query, state, position))).decode().rstrip("=")


def decode_cursor(cursor: str, query: str, position: Any) -> tuple[str, Any]:
    """State and position of a cursor of this query; `position` is its type. Raises CursorInvalid."""
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        content = _decoder.decode(data)
        if content.version != _VERSION:
            raise CursorInvalid("the cursor is of another release: begin again without it")
        where = msgspec.convert(content.position, position)
    except (ValueError, msgspec.MsgspecError) as error:
        raise CursorInvalid("this is no cursor: send `next_cursor` of an answer as it is") from error
    if content.query != query:
        raise CursorInvalid("the cursor belongs to another query: send the same one, where only the length may differ")
    return content.state, where


class _Position(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    offset: int
    seen: tuple[int, ...]


@dataclass(frozen=True)
class Page:
    """A page of k photos. `offset`: photos of the ranking before it, without the rows `seen` on a proposed first page.

    `state`: digest of what the pages before were ranked in; None for the first page.
    """

    k: int
    query: str
    offset: int = 0
    seen: tuple[int, ...] = ()
    state: str | None = None

    @classmethod
    def of(cls, k: int, cursor: str | None, query: str) -> Page:
        """The page behind a cursor, or the first one. Raises CursorInvalid."""
        if cursor is None:
            return cls(k, query)
        state, position = decode_cursor(cursor, query, _Position)
        before = position.offset + len(position.seen)
        if not 0 <= position.offset <= before < MOST_RANKED:
            raise CursorInvalid("this is no cursor: it points outside of the ranking")
        return cls(min(k, MOST_RANKED - before), query, position.offset, position.seen, state)

    @property
    def before(self) -> int:
        """Photos on the pages before this one."""
        return self.offset + len(self.seen)

    @property
    def is_first(self) -> bool:
        """Whether it may be made of what an approximate index proposes."""
        return self.state is None

    def positions(self, hits: Sequence[SearchHit]) -> list[int]:
        """Which of the `before + k` best hits are on the page."""
        seen = frozenset(self.seen)
        unseen = [n for n, hit in enumerate(hits) if hit.row not in seen] if seen else list(range(len(hits)))
        return unseen[self.offset : self.offset + self.k]

    def next_cursor(self, rows: Sequence[int], state: str, count: int, *, proposed: bool) -> str | None:
        """Of the page behind this one, whose rows these are; None where nothing can follow.

        `state`: digest of what was ranked; `count`: photos in it; `proposed`: whether an approximate index chose the
        rows. Raises CursorStale where something else was ranked than for the pages before.
        """
        if self.state not in (None, state):
            raise CursorStale("the gallery or an adapter has changed since the first page: begin again without cursor")
        ended = self.before + len(rows)
        if len(rows) < self.k or ended >= min(count, MOST_RANKED):
            return None
        position = (0, tuple(rows)) if proposed and self.is_first else (self.offset + len(rows), self.seen)
        return encode_cursor(self.query, state, position)
