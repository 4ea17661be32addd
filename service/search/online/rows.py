"""Photos and vectors of what changed online, by slot: a change appends, and what it replaces stays where it was.

So the rows of an answer in the making never move, and a change costs what is new and not what there is. Once more than
half of the slots are dead, the live ones move to new slots, under another `epoch`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from index_builder.artifact import inner_products, top_k
from models.arrays import Rows, Vectors
from service.store.records import OnlinePhoto

_FIRST_CAPACITY = 64


@dataclass
class _Slots:
    """What the states of one epoch share. Appended to by the newest of them alone; what is there never changes."""

    vectors: Vectors
    photos: list[OnlinePhoto] = field(default_factory=list)
    slot_of: dict[str, int] = field(default_factory=dict)
    code_of: dict[str, int] = field(default_factory=dict)
    codes: npt.NDArray[np.int32] = field(default_factory=lambda: np.empty(_FIRST_CAPACITY, np.int32))


@dataclass(frozen=True)
class OnlineRows:
    """S slots, of which `alive` (S,) says which are in use. Immutable and thread-safe."""

    epoch: int
    alive: npt.NDArray[np.bool_]
    _slots: _Slots

    @classmethod
    def empty(cls, dim: int) -> OnlineRows:
        """No photo; `dim`: length of a vector (E)."""
        return cls(0, np.empty(0, bool), _Slots(np.empty((_FIRST_CAPACITY, dim), np.float32)))

    @property
    def slots(self) -> int:
        """Slots, live and dead (S)."""
        return len(self.alive)

    @cached_property
    def live(self) -> Rows:
        """Ascending slots in use, in the order of the changes."""
        live: Rows = np.flatnonzero(self.alive)
        live.flags.writeable = False
        return live

    @cached_property
    def photos(self) -> tuple[OnlinePhoto, ...]:
        """The photos in use, in the order of the changes."""
        return tuple(self._slots.photos[slot] for slot in self.live.tolist())

    def photo(self, slot: int) -> OnlinePhoto:
        """The photo of a slot."""
        return self._slots.photos[slot]

    def slot_of(self, photo_id: str) -> int | None:
        """The slot of a photo in use; None for another id."""
        slot = self._slots.slot_of.get(photo_id)
        # The table is of the newest state, in which the photo may have another slot.
        return slot if slot is not None and slot < self.slots and self.alive[slot] else None

    def changed(self, added: Sequence[OnlinePhoto], removed: Iterable[str] = ()) -> OnlineRows:
        """The rows with photos that have vectors added, in place of what their ids had, and others removed."""
        base = self
        dead = self.slots - len(self.live)
        if self.slots != len(self._slots.photos) or (dead > len(self.live) and dead > _FIRST_CAPACITY):
            base = self._moved()
        alive = base.alive.copy()
        for photo_id in (*removed, *(photo.photo_id for photo in added)):
            if (slot := base.slot_of(photo_id)) is not None:
                alive[slot] = False
        newest = {photo.photo_id: photo for photo in added}
        base._append(list(newest.values()))
        return OnlineRows(base.epoch, np.concatenate([alive, np.ones(len(newest), bool)]), base._slots)

    def vectors(self, slots: Rows) -> Vectors:
        """(R,) -> (R, E), a copy."""
        taken: Vectors = self._slots.vectors[slots]
        return taken

    def products(self, query: Vectors, slots: Rows | None = None) -> Vectors:
        """(E,), (R,) -> (R,) inner products; `slots` None: of the live ones."""
        if slots is not None:
            return inner_products(self.vectors(slots), query)
        # Of all and then without the dead ones: gathering the vectors would copy them.
        every = inner_products(self._slots.vectors[: self.slots], query)
        return every if len(self.live) == self.slots else every[self.live]

    def best(self, query: Vectors, k: int, within: Rows | None = None) -> tuple[Vectors, Rows]:
        """(E,) -> scores (K,) and slots (K,) of the k best of all live ones, or of those `within`."""
        return top_k(self.products(query, within), k, self.live if within is None else within)

    def in_categories(self, categories: Iterable[str]) -> Rows:
        """Ascending slots in use whose photos have one of these categories."""
        codes = [self._slots.code_of[name] for name in categories if name in self._slots.code_of]
        slots: Rows = self.live[np.isin(self._slots.codes[self.live], codes)]
        return slots

    def _moved(self) -> OnlineRows:
        fresh = OnlineRows(
            self.epoch + 1, np.empty(0, bool), _Slots(np.empty_like(self._slots.vectors[:_FIRST_CAPACITY]))
        )
        fresh._append(self.photos)
        return OnlineRows(fresh.epoch, np.ones(len(self.live), bool), fresh._slots)

    def _append(self, photos: Sequence[OnlinePhoto]) -> None:
        slots = self._slots
        start, end = len(slots.photos), len(slots.photos) + len(photos)
        if end > len(slots.vectors):
            # Earlier states find the same rows in the longer arrays.
            capacity = max(end, 2 * len(slots.vectors))
            vectors = np.empty((capacity, slots.vectors.shape[1]), np.float32)
            vectors[:start] = slots.vectors[:start]
            codes = np.empty(capacity, np.int32)
            codes[:start] = slots.codes[:start]
            slots.vectors, slots.codes = vectors, codes
        for slot, photo in enumerate(photos, start):
            assert photo.vector is not None, "only what can be searched has a row"
            slots.vectors[slot] = photo.vector
            slots.codes[slot] = slots.code_of.setdefault(photo.category, len(slots.code_of))
        slots.photos.extend(photos)
        slots.slot_of.update((photo.photo_id, slot) for slot, photo in enumerate(photos, start))


def counted(counts: Mapping[str, int], added: Iterable[str], removed: Iterable[str]) -> dict[str, int]:
    """Photos by category after some came and others went; categories that are left without one are dropped."""
    changed = dict(counts)
    for category in removed:
        changed[category] = changed.get(category, 0) - 1
    for category in added:
        changed[category] = changed.get(category, 0) + 1
    return {name: count for name, count in changed.items() if count > 0}
