"""What the online store held at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from service.store.records import AdapterRecord, AdapterTarget, OnlinePhoto
from service.store.state.photo_changes import PhotoChanges


@dataclass(frozen=True)
class OnlineState:
    """What the database held at one moment, for one bundle. `active`: ids of the adapters in service; `outdated`:
    adapters that have to be fitted anew for this bundle; `targets`: what has adapters, of whatever bundle; `changes`:
    of photos, without those that the index holds; `photo_count`: uploaded photos, with those.
    """

    active: Mapping[AdapterTarget, str] = field(default_factory=dict)
    targets: frozenset[AdapterTarget] = frozenset()
    changes: PhotoChanges = field(default_factory=PhotoChanges)
    photo_count: int = 0
    outdated: tuple[AdapterRecord, ...] = ()
    used_bytes: int = 0

    @property
    def photos(self) -> tuple[OnlinePhoto, ...]:
        """Uploaded photos that the index does not hold, by their changes."""
        return self.changes.photos

    @cached_property
    def profiles(self) -> frozenset[str]:
        """Names of the profiles that have adapters. After a change of bundle they are still known: their searches go
        without an adapter instead of failing.
        """
        return frozenset(target.name for target in self.targets if target.scope == "profile")


NOTHING = OnlineState()
