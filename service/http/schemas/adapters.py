"""What goes over the wire of heads; as in schemas.py."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from service.http.schemas.search import Schema


class RankFigures(Schema):
    """Where sketches' own photos were ranked: share ranked first, mean rank (1 is best), mean of 1 / rank."""

    acc_at_1: Annotated[float, Field(ge=0, le=1)]
    mean_rank: Annotated[float, Field(ge=1)]
    mrr: Annotated[float, Field(ge=0, le=1)]


class LeaveOneOutFigures(Schema):
    """Each photo of the examples left out in turn, with its sketches, and searched for with the head of the others.

    `before` is what serves without a fitted head.
    """

    before: RankFigures
    after: RankFigures


class Head(Schema):
    """A head: what was learned from `k` examples, for a category or for a profile. With `dry_run` it has no id.

    `state`: `live` serves; `idle` does not; `stale` was fitted for another bundle and has to be made anew.
    """

    head_id: str | None = None
    version: Annotated[int | None, Field(description="Counts the heads of this category or profile from 1.")] = None
    category: str | None = None
    profile: str | None = None
    k: Annotated[int, Field(ge=1)]
    method: str
    margin: Annotated[
        float | None, Field(description="The margin that the method predicted; null where it has none.")
    ] = None
    leave_one_out: LeaveOneOutFigures
    went_live: Annotated[bool, Field(description="Whether it was put into service when it was fitted.")]
    reason: Annotated[str, Field(description="Why it went live, or did not.")]
    state: Literal["live", "idle", "stale"]
    photos_added: Annotated[
        list[str], Field(description="Photos that came with the examples and are in the gallery now.")
    ]
    bundle_id: str
    adaptation_id: str
    created_at: str
    timings_ms: dict[str, float]


class Heads(Schema):
    """Heads, the newest first, and which of them is live."""

    heads: list[Head]
    live: str | None = None


class LiveHeadId(Schema):
    """The head in service; null: none."""

    live: str | None = None


class ProfileSummary(Schema):
    """A profile, its live head, and how many heads it has."""

    profile: str
    live: str | None = None
    heads: Annotated[int, Field(ge=1)]


class Profiles(Schema):
    """Profiles by name."""

    profiles: list[ProfileSummary]


class TeachParams(Schema):
    """What is done with the head."""

    force: Annotated[bool, Field(description="Put it into service even if leave-one-out gets worse.")] = False
    dry_run: Annotated[bool, Field(description="Only report how good it would be; nothing is stored.")] = False


class DeleteParams(Schema):
    """What is removed with the head."""

    photos: Annotated[bool, Field(description="Also the photos that came with it, where no other head needs them.")] = (
        False
    )
