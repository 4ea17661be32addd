"""Who may do what, and how often; what proxies and caches in front of the service do."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field, field_validator

from service.access.errors import RateLimitInvalid
from service.access.networks import networks_of
from service.access.principal import Access
from service.access.rate_limits import limit_items
from service.access.root_path import checked_root_path
from service.config.comma_separated import CommaSeparated


class AccessSettings(BaseModel):
    """Keys, scopes, rate limits, proxies and caches."""

    keys_file: Path | None = Field(
        default=None, description="API keys, made by `inkseek keys`; empty: `keys.json` in the online folder."
    )
    open: bool = Field(
        default=False,
        description="Serve everybody on an address that others can reach, as long as there is no API key; without it "
        "such a start fails.",
    )
    anonymous_scopes: CommaSeparated[Access] = Field(
        default=(),
        description="Comma-separated scopes of requests without a key, once there are keys, such as `search`; empty: "
        "none.",
    )
    allowed_hosts: CommaSeparated[str] = Field(
        default=(),
        description="Comma-separated host names that the service is reached by, `*` for any; addresses and names "
        "without a dot always pass. Empty: any, once there are keys, and otherwise no others.",
    )
    rate_limit: str | None = Field(
        default=None,
        description="Requests that one key, or one address without a key, may send, such as `10/second; 2000/day`; "
        "empty: unlimited. Pictures do not count, a batch counts as its items.",
    )
    change_limit: str | None = Field(
        default=None, description="The same for requests that adapt or write, such as `20/hour`; they count as both."
    )
    rate_limit_redis: str | None = Field(
        default=None,
        description="Redis that counts, such as `redis://localhost:6379/0`, where several processes or hosts share the "
        "limits (needs the extra `redis`); empty: each process counts for itself.",
    )
    trusted_proxies: CommaSeparated[str] = Field(
        default=("127.0.0.1", "::1"),
        description="Comma-separated addresses and networks of proxies, whose `X-Forwarded-For`, "
        "`X-Forwarded-Proto` and `X-Forwarded-Prefix` are believed; `none` for nobody's.",
    )
    root_path: str = Field(
        default="",
        description="Path of a proxy below which the service is reached, such as `/inkseek`, whether or not the proxy "
        "takes it off; empty: what trusted proxies say in `X-Forwarded-Prefix`.",
    )
    originals_redirect_s: int = Field(
        default=0,
        ge=0,
        le=604_800,
        description="Seconds that a signed URL is good for, to which requests for originals in an object store are "
        "redirected; 0: the service reads and answers them itself, without where they were taken.",
    )
    public_photos: bool = Field(
        default=False,
        description="Let shared caches (a CDN, a proxy) keep photos: `Cache-Control: public` instead of `private`.",
    )
    read_only: bool = Field(default=False, description="Search alone: nothing is adapted or written, for any key.")

    @field_validator("rate_limit", "change_limit")
    @classmethod
    def _check_limit(cls, value: str | None) -> str | None:
        try:
            limit_items(value)
        except RateLimitInvalid as error:
            raise ValueError(str(error)) from error
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _check_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        networks_of(value)
        return value

    @field_validator("root_path")
    @classmethod
    def _check_root_path(cls, value: str) -> str:
        return checked_root_path(value)


class OriginSettings(BaseModel):
    """Which other sites' pages may call the API."""

    cors_origins: CommaSeparated[str] = Field(
        default=(), description="Comma-separated origins whose pages may call the API; `*` for all, empty for none."
    )
