"""Adapters and profiles as JSON, and the parameters of the requests that change them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from models.bundle import Frame
from service.adaptation.listing import ProfileRecord
from service.http.schemas.base import EXAMPLE_ADAPTATION_ID, EXAMPLE_BUNDLE_ID, FRAME, Schema, rounded
from service.store.records import AdapterRecord


class RankFigures(Schema):
    """Where sketches' own photos were ranked: share ranked first, mean rank (1 is best), mean of 1 / rank."""

    acc_at_1: Annotated[float, Field(ge=0, le=1)]
    mean_rank: Annotated[float, Field(ge=1)]
    mrr: Annotated[float, Field(ge=0, le=1)]


class ExpectedGain(Schema):
    """The change of `mrr` that is expected on other drawings, and its standard deviation.

    From what such adapters gained in other categories and from `before` and `after`, each as far as it is certain.
    """

    gain: Annotated[float, Field(ge=-1, le=1)]
    deviation: Annotated[float, Field(ge=0)]


class LeaveOneOutFigures(Schema):
    """Each photo of the examples left out in turn, with its sketches, and searched for with the adapter of the others.

    `before` is the active adapter's, fitted without that photo, or zero-shot where none is active. `expected`: null
    where the bundle knows nothing of other categories.
    """

    before: RankFigures
    after: RankFigures
    expected: ExpectedGain | None = None


class Adapter(Schema):
    """A category adapter or a style adapter, fitted to `k` examples. With `dry_run` it has no id and no version.

    `state`: `active` is applied to searches; `idle` is not; `stale` belongs to another bundle: fit it anew.
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
    activated: Annotated[bool, Field(description="Whether it was activated when it was fitted.")]
    reason: Annotated[str, Field(description="Why it was activated, or was not.")]
    state: Literal["active", "idle", "stale"]
    photos_added: Annotated[list[str], Field(description="Uploaded photos that the gallery has had since.")]
    bundle_id: str
    adaptation_id: str
    created_at: str
    timings_ms: dict[str, float]


class Adapters(Schema):
    """Adapters, the newest first, and which of them is active."""

    adapters: list[Adapter]
    active: str | None = None


class ActiveAdapterId(Schema):
    """The active adapter; null: none."""

    active: str | None = None


class ProfileSummary(Schema):
    """A profile, its active adapter, and how many adapters it has."""

    profile: str
    active: str | None = None
    adapters: Annotated[int, Field(ge=1)]


class Profiles(Schema):
    """Profiles by name."""

    profiles: list[ProfileSummary]


class AdaptParams(Schema):
    """What is done with the adapter."""

    force: Annotated[bool, Field(description="Activate it even where no gain is expected.")] = False
    dry_run: Annotated[bool, Field(description="Only report how good it would be; nothing is stored.")] = False
    depth: Annotated[
        Literal["light", "deep"],
        Field(
            description="`deep` also tunes the encoders' last projection, to the examples and to drawings made "
            "of the category's photos: for a category alone, as a job of seconds to a minute (`/v1/jobs`), whose "
            "`detail` says whether the adapter is active and what is expected of it."
        ),
    ] = "light"
    frame: Annotated[Frame, Field(description=FRAME + " A refit after an upgrade goes by `auto`.")] = "auto"


class DeleteParams(Schema):
    """What is deleted with the adapter."""

    photos: Annotated[bool, Field(description="Also its uploaded photos, where no other adapter needs them.")] = False


def adapter_json(adapter: AdapterRecord) -> dict[str, Any]:
    """A record as Adapter."""
    scope, name = adapter.target
    return {
        # A dry run has the id "" and the version 0; in JSON both are null.
        "adapter_id": adapter.adapter_id or None,
        "version": adapter.version or None,
        "category": name if scope == "category" else None,
        "profile": name if scope == "profile" else None,
        "k": adapter.k,
        "method": adapter.method,
        "margin": adapter.margin,
        "leave_one_out": dict(adapter.leave_one_out),
        "activated": adapter.activated,
        "reason": adapter.reason,
        "state": adapter.state,
        "photos_added": list(adapter.photos_added),
        "bundle_id": adapter.bundle_id,
        "adaptation_id": adapter.adaptation_id,
        "created_at": adapter.created_at,
        "timings_ms": rounded(adapter.timings_ms),
    }


def adapters_json(adapters: Sequence[AdapterRecord]) -> dict[str, Any]:
    """The records of one category or profile as Adapters."""
    active = next((adapter.adapter_id for adapter in adapters if adapter.state == "active"), None)
    return {"adapters": [adapter_json(adapter) for adapter in adapters], "active": active}


def profiles_json(profiles: Sequence[ProfileRecord]) -> dict[str, Any]:
    """Records as Profiles."""
    return {
        "profiles": [
            {"profile": profile.name, "active": profile.active, "adapters": profile.adapters} for profile in profiles
        ]
    }


ADAPTER_EXAMPLE: dict[str, Any] = {
    "adapter_id": "adapter-5f0c2d9a71be",
    "version": 2,
    "category": "clothing",
    "profile": None,
    "k": 5,
    "method": "adaptive",
    "margin": 0.31,
    "leave_one_out": {
        "before": {"acc_at_1": 0.4, "mean_rank": 2.8, "mrr": 0.58},
        "after": {"acc_at_1": 0.6, "mean_rank": 1.8, "mrr": 0.74},
        "expected": {"gain": 0.033, "deviation": 0.041},
    },
    "activated": True,
    "reason": "a change of +0.033 (standard deviation 0.041) in the mean of 1 / rank is expected on other drawings; "
    "leave-one-out did not get worse: mean of 1 / rank 0.580 before and 0.740 after "
    "(standard error 0.110), first place 40% before and 60% after",
    "state": "active",
    "photos_added": [],
    "bundle_id": EXAMPLE_BUNDLE_ID,
    "adaptation_id": EXAMPLE_ADAPTATION_ID,
    "created_at": "2026-11-20T13:05:41Z",
    "timings_ms": {"encode": 61.2, "fit": 12.7, "store": 6.1, "total": 81.4},
}
STYLE_ADAPTER_EXAMPLE: dict[str, Any] = {
    **ADAPTER_EXAMPLE,
    "adapter_id": "adapter-c3a09e1177d2",
    "version": 1,
    "category": None,
    "profile": "ada",
    "margin": None,
}
PROFILES_EXAMPLE: dict[str, Any] = {
    "profiles": [{"profile": "ada", "active": STYLE_ADAPTER_EXAMPLE["adapter_id"], "adapters": 1}]
}


def dry_run_example(adapter: dict[str, Any]) -> dict[str, Any]:
    """The report of a dry run that would have made `adapter`."""
    absent = {"adapter_id": None, "version": None, "activated": False, "state": "idle"}
    timings_ms = {"encode": 61.2, "fit": 12.7, "total": 74.9}
    return {
        **adapter,
        **absent,
        "reason": f"dry run, would be activated: {adapter['reason']}",
        "timings_ms": timings_ms,
    }
