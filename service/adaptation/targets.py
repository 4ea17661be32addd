"""The names that categories and profiles may have, and the profile of an API key.

That profile holds a few drawings of the key's owner, from any of its galleries, for the searches in all of them. It is
kept in the default gallery's online store under a name that nobody else can have, and is bounded, copied and listed
there as others are. Each adaptation adds its examples to those that are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from models.adapters import Adaptation, StyleAdapter, joined
from service.changes.names import NAME_CHARACTERS, checked_name
from service.gallery_folders import DEFAULT_GALLERY
from service.search.query import OWN_MARK
from service.store.online_store import OnlineStore
from service.store.records import AdapterTarget, NewAdapter, Scope, SupportPair

__all__ = ["NAME_CHARACTERS", "NAME_PATTERN", "OWN", "OwnProfile", "adapter_target"]

NAME_PATTERN = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$"
"""The rule of `adapter_target` as a regular expression, for documents."""


def adapter_target(scope: Scope, name: str) -> AdapterTarget:
    """The target of that name, in Unicode's NFC form: equal names are one target, however they were typed.

    Raises NameInvalid for text that is no UTF-8, empty, longer than 500 characters, or has control characters or space
    at its ends.
    """
    return AdapterTarget(scope, checked_name(scope, name))


OWN = "@key"
"""What the API calls the profile of the key that a request brings."""


@dataclass(frozen=True)
class OwnProfile:
    """The profile of the key `key_id`; `store`: of the default gallery."""

    key_id: str
    store: OnlineStore

    @property
    def target(self) -> AdapterTarget:
        """By the key's id, and not by its name, which another key may have."""
        return AdapterTarget("profile", f"{OWN_MARK}{self.key_id}")

    @property
    def bundle_id(self) -> str:
        """Of the encoders whose sketches it moves."""
        return self.store.bundle_id

    def active(self) -> str | None:
        """The id of the active adapter."""
        return self.store.state().active.get(self.target)

    def adapter(self, adapter_id: str) -> StyleAdapter | None:
        """The adapter of that id; None where it was deleted meanwhile."""
        adapter = self.store.adapter(adapter_id)
        return adapter if isinstance(adapter, StyleAdapter) else None

    def with_earlier(self, new: NewAdapter, gallery: str, adaptation: Adaptation, most_pairs: int) -> NewAdapter:
        """The new adapter joined with the active one: fitted to the examples of both, at most `most_pairs`.

        The oldest examples go first. Photos of another gallery than the default one are named with it.
        """
        own = tuple(replace(pair, photo_id=_named(gallery, pair.photo_id)) for pair in new.support)
        active = self.active()
        earlier = self.adapter(active) if active is not None else None
        if active is None or earlier is None or not isinstance(new.adapter, StyleAdapter):
            return replace(new, target=self.target, support=own)
        kept = self.store.support_of(active)
        kept = kept[max(0, len(kept) + len(own) - most_pairs) :]
        if not kept:
            return replace(new, target=self.target, support=own)
        counts = [_photos(kept), _photos(own)]
        adapter = joined([earlier, new.adapter], counts, adaptation.settings.style_photos)
        return replace(new, target=self.target, adapter=adapter, support=(*kept, *own))


def _named(gallery: str, photo_id: str) -> str:
    return photo_id if gallery == DEFAULT_GALLERY else f"{gallery}:{photo_id}"


def _photos(pairs: Sequence[SupportPair]) -> int:
    return len({pair.photo_id for pair in pairs})
