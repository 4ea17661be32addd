"""RFC 9457 problem documents."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from service.http.schemas.base import Schema

PROBLEM_EXAMPLE: dict[str, JsonValue] = {
    "type": "/docs#problem-sketch_empty",
    "title": "The sketch is empty",
    "status": 422,
    "detail": "the sketch is empty: nothing is drawn on it",
    "code": "sketch_empty",
}


class FieldFault(Schema):
    """One thing wrong with a request: `where` it is, and `what` is wrong."""

    where: str
    what: str


class Problem(BaseModel):
    """RFC 9457 problem. `code` is stable and meant for programs; `detail` is meant for people."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [PROBLEM_EXAMPLE]})

    type: str
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    code: str
    errors: list[FieldFault] | None = None
    request_id: str | None = None
