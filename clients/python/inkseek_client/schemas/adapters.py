"""Adapters, profiles and feedback."""

from __future__ import annotations

from typing import Literal

from inkseek_client.schemas.base import Schema


class RankFigures(Schema):
    """Share of own photos ranked first, their mean rank (1 is best), and the mean of 1 / rank."""

    acc_at_1: float
    mean_rank: float
    mrr: float


class ExpectedGain(Schema):
    """Change of `mrr` that is expected on other drawings, and its standard deviation."""

    gain: float
    deviation: float


class LeaveOneOutFigures(Schema):
    """Ranks of the examples' photos, each left out in turn: `before` this adapter, and `after` it."""

    before: RankFigures
    after: RankFigures
    expected: ExpectedGain | None = None


class Adapter(Schema):
    """A category adapter (`category`) or a style adapter (`profile`), fitted to `k` examples.

    A dry run has neither `adapter_id` nor `version`. `reason` says why it was activated, or was not.
    """

    adapter_id: str | None = None
    version: int | None = None
    category: str | None = None
    profile: str | None = None
    k: int
    method: str
    margin: float | None = None
    leave_one_out: LeaveOneOutFigures
    activated: bool
    reason: str
    state: Literal["active", "idle", "stale"]
    photos_added: tuple[str, ...]
    bundle_id: str
    adaptation_id: str
    created_at: str
    timings_ms: dict[str, float]


class Adapters(Schema):
    """Adapters of one category or profile, the newest first; `active`: the id of the one that searches apply."""

    adapters: tuple[Adapter, ...]
    active: str | None = None


class ActiveAdapterId(Schema):
    """The active adapter's id; None: none."""

    active: str | None = None


class ProfileSummary(Schema):
    """A profile, its active adapter's id, and how many adapters it has."""

    profile: str
    active: str | None = None
    adapters: int


class Profiles(Schema):
    """Profiles by name."""

    profiles: tuple[ProfileSummary, ...]


class Feedback(Schema):
    """A sketch that was kept with the photo it was meant to find."""

    feedback_id: str
    category: str
    photo_id: str
    created_at: str


class FeedbackList(Schema):
    """Pairs, the newest first."""

    feedback: tuple[Feedback, ...]
