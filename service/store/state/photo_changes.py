"""The changes of photos that an index does not hold yet, as of one moment; each moment follows from the one before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TypeVar

from service.store.records import OnlinePhoto, PhotoPatch

T = TypeVar("T")


@dataclass(frozen=True)
class PhotoChanges:
    """Photos, patches and deletions in the order of their numbers, of which `change` is the highest.

    `generation`: of the database that they were read from; those of another one share nothing with it. `sealed`: up to
    that number the index holds the changes of the store, whose id is `store_id`.
    """

    generation: int = 0
    change: int = 0
    store_id: str = ""
    sealed: int = 0
    _photos: Mapping[str, OnlinePhoto] = field(default_factory=dict)
    _patches: Mapping[str, PhotoPatch] = field(default_factory=dict)
    _deleted: Mapping[str, int] = field(default_factory=dict)

    @property
    def photos(self) -> tuple[OnlinePhoto, ...]:
        """Uploaded photos as they are now."""
        return tuple(self._photos.values())

    @property
    def patches(self) -> tuple[PhotoPatch, ...]:
        """What is said of photos of the index."""
        return tuple(self._patches.values())

    @property
    def deleted(self) -> Mapping[str, int]:
        """Ids of photos that are gone, and the number of the change."""
        return self._deleted

    @property
    def count(self) -> int:
        """Photos that are not, or not only, as the index has them."""
        return len(self._photos) + len(self._patches) + len(self._deleted)

    def photo(self, photo_id: str) -> OnlinePhoto | None:
        """An uploaded photo; None for another id."""
        return self._photos.get(photo_id)

    def followed_by(
        self,
        photos: Iterable[OnlinePhoto],
        patches: Iterable[PhotoPatch],
        deleted: Mapping[str, int],
        change: int,
    ) -> PhotoChanges:
        """The changes of the moment when what is given, in the order of numbers, had come to these."""
        kept: tuple[dict[str, OnlinePhoto], dict[str, PhotoPatch], dict[str, int]] = (
            dict(self._photos),
            dict(self._patches),
            dict(self._deleted),
        )

        def forget(photo_id: str) -> None:
            for one in kept:
                one.pop(photo_id, None)  # also where it stays: it goes behind what changed before it

        for photo in photos:
            forget(photo.photo_id)
            kept[0][photo.photo_id] = photo
        for patch in patches:
            forget(patch.photo_id)
            kept[1][patch.photo_id] = patch
        for photo_id, number in deleted.items():
            forget(photo_id)
            kept[2][photo_id] = number
        return PhotoChanges(self.generation, change, self.store_id, self.sealed, *kept)

    def since(self, change: int) -> tuple[list[OnlinePhoto], list[PhotoPatch], list[str]]:
        """What changed after that number: photos, patches, and deleted ids, each in the order of numbers."""
        return (
            _last(list(self._photos.values()), lambda photo: photo.change > change),
            _last(list(self._patches.values()), lambda patch: patch.change > change),
            [photo_id for photo_id, _ in _last(list(self._deleted.items()), lambda item: item[1] > change)],
        )


def _last(changed: list[T], is_new: Callable[[T], bool]) -> list[T]:
    """The new ones, which are the last."""
    return list(takewhile(is_new, reversed(changed)))[::-1]
