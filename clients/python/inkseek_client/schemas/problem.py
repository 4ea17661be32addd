"""Problem documents (RFC 9457)."""

from __future__ import annotations

from inkseek_client.schemas.base import Schema


class FieldFault(Schema):
    """A field of the request that is wrong, and why."""

    where: str
    what: str


class Problem(Schema):
    """Why a request was not answered. `code` is stable; `title` and `detail` may be reworded."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: tuple[FieldFault, ...] | None = None
    request_id: str | None = None
