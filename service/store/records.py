"""What the online store keeps, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from index_builder.artifact import MetadataValue, Thumbnail
from models.adapters import CategoryAdapter, LeaveOneOut, StyleAdapter
from models.arrays import Vectors

EXAMPLE_PREFIX = "online/"
"""What the ids of photos begin with that came with examples; no photo is uploaded under such an id."""

Scope = Literal["category", "profile"]
State = Literal["active", "idle", "stale"]


class AdapterTarget(NamedTuple):
    """What an adapter is for: a category of the gallery, or the profile of a user's way of drawing."""

    scope: Scope
    name: str

    def __str__(self) -> str:
        """Scope and name, for messages."""
        return f"{self.scope} {self.name!r}"


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """Limits on all that the online store keeps: categories and profiles with adapters, and bytes of everything."""

    max_targets: int = 1_000
    max_bytes: int = 4 * 2**30


@dataclass(frozen=True, slots=True)
class AdapterRecord:
    """One version of an adapter, without its arrays.

    `adapter_id` is "" and `version` 0 for a dry run, which stores nothing. `leave_one_out`: accuracy, mean rank and
    mean reciprocal rank `before` and `after`. `activated`: when it was fitted. `state`: stale for
    another bundle's adapter.
    """

    adapter_id: str
    target: AdapterTarget
    version: int
    bundle_id: str
    adaptation_id: str
    method: str
    k: int
    margin: float | None
    leave_one_out: Mapping[str, Any]
    activated: bool
    reason: str
    created_at: str
    photos_added: tuple[str, ...]
    timings_ms: Mapping[str, float]
    state: State


@dataclass(frozen=True, slots=True)
class SupportPair:
    """One example: the sketch as it was sent, its embedding (E,), and the photo that it shows."""

    sketch: bytes
    vector: Vectors
    photo_id: str


@dataclass(frozen=True, slots=True)
class OnlinePhoto:
    """A photo that was uploaded. `vector`: its unit embedding (E,) by the bundle in service, None where it has none.

    `change`: number of the change that it is as it is since; later changes have higher ones.
    """

    photo_id: str
    category: str
    sha256: str
    width: int
    height: int
    vector: Vectors | None
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    change: int = 0

    @property
    def is_example(self) -> bool:
        """Whether it came with the examples of an adapter, under an id made of its content."""
        return self.photo_id.startswith(EXAMPLE_PREFIX)


@dataclass(frozen=True, slots=True)
class PhotoPatch:
    """What is said of a photo of the index in place of what the index says: None of a category or value is as it was.

    `metadata`: by field; a value of None takes the field away.
    """

    photo_id: str
    category: str | None = None
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    change: int = 0


@dataclass(frozen=True, slots=True)
class SealedChanges:
    """An index holds every change of the store of that id up to `change`."""

    store_id: str
    change: int


@dataclass(frozen=True, slots=True)
class NewPhoto:
    """An uploaded photo before it is stored: its record, thumbnail and file."""

    photo: OnlinePhoto
    thumbnail: Thumbnail
    image: bytes


@dataclass(frozen=True, slots=True)
class NewAdapter:
    """A fitted adapter before it is stored, with its support, the photos that it brings, and whether to activate it."""

    target: AdapterTarget
    bundle_id: str
    adaptation_id: str
    method: str
    margin: float | None
    leave_one_out: LeaveOneOut
    adapter: CategoryAdapter | StyleAdapter
    activate: bool
    reason: str
    support: tuple[SupportPair, ...]
    photos: tuple[NewPhoto, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def leave_one_out_figures(self) -> dict[str, dict[str, float] | None]:
        """The gate's figures `before` and `after`, and what is `expected` on other drawings, as numbers by name."""
        sides = {"before": self.leave_one_out.before, "after": self.leave_one_out.after}
        expected = self.leave_one_out.expected
        return {
            **{
                side: {"acc_at_1": ranks.acc_at_1, "mean_rank": ranks.mean_rank, "mrr": ranks.mrr}
                for side, ranks in sides.items()
            },
            "expected": None if expected is None else {"gain": expected.mean, "deviation": expected.deviation},
        }
