"""API keys as JSON: what is known of each but its secret, and the body that makes one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, Field
from pydantic_core import PydanticCustomError

from service.access.errors import RateLimitInvalid
from service.access.key_management import KeyRequest
from service.access.keys import ApiKey, KeyState
from service.access.principal import Access
from service.access.rate_limits import Usage, limit_items
from service.http.schemas.base import Schema

_NAME_PATTERN = r"^[^\s\x00-\x1f\x7f-\x9f](?:[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$"


def _limit(text: str) -> str:
    try:
        limit_items(text)
    except RateLimitInvalid as error:
        raise PydanticCustomError("limit", "{why}", {"why": str(error)}) from error
    return text


def _to_come(moment: datetime) -> datetime:
    if moment <= datetime.now(UTC):
        raise PydanticCustomError("moment", "it is over: a moment to come is expected")
    return moment


_Limit = Annotated[
    str, Field(min_length=1, max_length=200, description="Such as `10/second; 2000/day`."), AfterValidator(_limit)
]


class NewKey(Schema):
    """The body that makes a key. None of `galleries`: all of them. Limits left out: those of the service."""

    name: Annotated[str, Field(max_length=200, pattern=_NAME_PATTERN, description="Whom it is for.")]
    scopes: Annotated[tuple[Access, ...], Field(min_length=1, max_length=4, description="What it grants.")]
    expires_at: Annotated[
        Annotated[AwareDatetime, AfterValidator(_to_come)] | None,
        Field(description="A moment to come, with its time zone; null: it does not expire."),
    ] = None
    galleries: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(max_length=200)] = ()
    rate_limit: _Limit | None = None
    change_limit: _Limit | None = None

    def to_request(self) -> KeyRequest:
        """As the use case takes it."""
        scopes, galleries = tuple(dict.fromkeys(self.scopes)), tuple(dict.fromkeys(self.galleries))
        return KeyRequest(self.name, scopes, self.expires_at, galleries, self.rate_limit, self.change_limit)


class LimitWindow(Schema):
    """One window of a key's limits: of `quota` in `window_s` seconds, `remaining` are left for `reset_s` seconds."""

    policy: Literal["requests", "changes"]
    quota: Annotated[int, Field(ge=1)]
    window_s: Annotated[int, Field(ge=1)]
    remaining: Annotated[int, Field(ge=0)]
    reset_s: Annotated[int, Field(ge=0)]


class Key(Schema):
    """A key without its secret. `limits`: its windows, its own or the service's, and what is left of them now."""

    key_id: str
    name: str
    state: KeyState
    scopes: list[Access]
    galleries: Annotated[list[str], Field(description="The only ones that it is for; none: all.")]
    created_at: str
    expires_at: str | None = None
    revoked_at: str | None = None
    last_used_at: Annotated[
        str | None, Field(description="To the minute; null: not yet, or the online folder cannot be written.")
    ] = None
    rate_limit: Annotated[str | None, Field(description="Its own; null: the service's.")] = None
    change_limit: Annotated[str | None, Field(description="Its own; null: the service's.")] = None
    limits: Annotated[
        list[LimitWindow],
        Field(description="Counted in the process that answers, or by all of them in INKSEEK_RATE_LIMIT_REDIS."),
    ]


class Keys(Schema):
    """Keys in the order in which they were made, revoked and expired ones too."""

    keys: list[Key]


class MadeKey(Key):
    """A key that was just made, and in `key` what has to be sent: nobody can show it again."""

    key: str


def key_json(key: ApiKey, last_used_at: datetime | None, usages: Iterable[Usage]) -> dict[str, Any]:
    """A record as Key."""
    kept = key.model_dump(mode="json", exclude={"sha256"})
    windows = [
        {
            "policy": usage.policy,
            "quota": usage.quota,
            "window_s": usage.window_s,
            "remaining": usage.remaining,
            "reset_s": usage.reset_s,
        }
        for usage in usages
    ]
    used = last_used_at.strftime("%Y-%m-%dT%H:%M:%SZ") if last_used_at else None
    return {**kept, "state": key.state(datetime.now(UTC)), "last_used_at": used, "limits": windows}


NEW_KEY_EXAMPLE: dict[str, Any] = {"name": "ada", "scopes": ["search"], "rate_limit": "10/second"}
KEY_EXAMPLE: dict[str, Any] = {
    "key_id": "5f0c2d9a71be",
    "name": "ada",
    "state": "active",
    "scopes": ["search"],
    "galleries": [],
    "created_at": "2026-11-20T11:02:19Z",
    "expires_at": None,
    "revoked_at": None,
    "last_used_at": "2026-11-26T09:41:00Z",
    "rate_limit": "10/second",
    "change_limit": None,
    "limits": [{"policy": "requests", "quota": 10, "window_s": 1, "remaining": 9, "reset_s": 1}],
}
KEYS_EXAMPLE: dict[str, Any] = {"keys": [KEY_EXAMPLE]}
MADE_KEY_EXAMPLE: dict[str, Any] = {**KEY_EXAMPLE, "last_used_at": None, "key": "inkseek_5f0c2d9a71be_SECRET"}
NEW_KEY_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "Whom the key is for, and what it grants.",
        "content": {"application/json": {"schema": NewKey.model_json_schema(), "example": NEW_KEY_EXAMPLE}},
    }
}
