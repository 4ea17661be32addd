"""What goes over the wire of adapters; as in schemas.py."""

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
    """Each photo of the examples left out in turn, with its sketches, and searched for with the adapter of the others.

    `before` is what serves without a fitted adapter.
    """

    before: RankFigures
    after: RankFigures


class Adapter(Schema):
    """An adapter: what was learned from `k` examples, for a category or for a profile. With `dry_run` it has no id.

    `state`: `active` serves; `idle` does not; `stale` was fitted for another bundle and has to be made anew.
    """

    adapter_id: str | None = None
    version: Annotated[int | None, Field(description="Counts the adapters of this category or profile from 1.")] = None
    category: str | None = None
    profile: str | None = None
    k: Annotated[int, Field(ge=1)]
    method: str
    margin: Annotated[
        float | None, Field(description="The margin that the method predicted; null where it has none.")
    ] = None
    leave_one_out: LeaveOneOutFigures
    activated: Annotated[bool, Field(description="Whether it was put into service when it was fitted.")]
    reason: Annotated[str, Field(description="Why it was activated, or did not.")]
    state: Literal["active", "idle", "stale"]
    photos_added: Annotated[
        list[str], Field(description="Photos that came with the examples and are in the gallery now.")
    ]
    bundle_id: str
    adaptation_id: str
    created_at: str
    timings_ms: dict[str, float]


class Adapters(Schema):
    """Adapters, the newest first, and which of them is active."""

    adapters: list[Adapter]
    active: str | None = None


class ActiveAdapterId(Schema):
    """The adapter in service; null: none."""

    active: str | None = None


class ProfileSummary(Schema):
    """A profile, its active adapter, and how many adapters it has."""

    profile: str
    active: str | None = None
    adapters: Annotated[int, Field(ge=1)]


class Profiles(Schema):
    """Profiles by name."""

    profiles: list[ProfileSummary]


class TeachParams(Schema):
    """What is done with the adapter."""

    force: Annotated[bool, Field(description="Put it into service even if leave-one-out gets worse.")] = False
    dry_run: Annotated[bool, Field(description="Only report how good it would be; nothing is stored.")] = False


class DeleteParams(Schema):
    """What is removed with the adapter."""

    photos: Annotated[bool, Field(description="Also its uploaded photos, where no other adapter needs them.")] = False
