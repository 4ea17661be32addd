"""The online store of one process: what it reads of the database, and the changes that it makes."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from index_builder.artifact import PhotoNotFound, Thumbnail
from models.adapters import CategoryAdapter, StyleAdapter
from service.errors import AdapterNotFound, NothingToRollBack, OnlineFull
from service.store import adapters, changes, photos
from service.store.arrays import adapter_from_bytes
from service.store.database import FILE, transaction, unreadable, used_bytes
from service.store.records import (
    AdapterRecord,
    AdapterTarget,
    NewAdapter,
    NewPhoto,
    OnlinePhoto,
    PhotoPatch,
    SealedChanges,
    StoreLimits,
    SupportPair,
)
from service.store.state.online_state import OnlineState
from service.store.state.reader import StateReader


class OnlineStore:
    """Thread-safe. A database that is not there yet is an empty store; the first change makes it."""

    def __init__(
        self,
        folder: Path,
        bundle_id: str,
        adapted_dim: int,
        limits: StoreLimits | None = None,
        sealed: SealedChanges | None = None,
    ) -> None:
        """`folder` holds the database, or will; nothing is opened before the first call.

        `adapted_dim`: length of what the bundle's adapters work on (`BundleManifest.adapted_dim`). `sealed`: what the
        index holds that is served with this store.
        """
        self._sealed = sealed
        self._limits = limits or StoreLimits()
        self.folder = folder
        self.bundle_id = bundle_id
        self._adapted_dim = adapted_dim
        self._reader = StateReader(folder / FILE, bundle_id, sealed)

    def state(self) -> OnlineState:
        """The store as it is now; what another process changed is seen at once.

        Raises OnlineCorrupt when it is damaged from the start. Otherwise the last whole state is still served, and
        `problem` says why.
        """
        return self._reader.state()

    @property
    def problem(self) -> str | None:
        """Why the last state is not the present one; None where it is."""
        return self._reader.problem

    @property
    def change_count(self) -> int:
        """Photos that were uploaded, changed or deleted since the index was built, when the store was last read."""
        return self._reader.last_state.changes.count

    def reject_when_full(self, target: AdapterTarget) -> None:
        """Raises OnlineFull, OnlineTargetsLimit where an adapter for `target` could not be stored."""
        state = self.state()
        adapters.reject_new_target(state.targets, target, self._limits.max_targets)
        self._reject_bytes(state.used_bytes)

    def list_adapters(self, target: AdapterTarget | None = None) -> list[AdapterRecord]:
        """The adapters of one target, or all; the newest first."""
        with self._reader.database() as database:
            return adapters.list_adapters(database, self.bundle_id, target) if database else []

    def get_adapter(self, target: AdapterTarget, adapter_id: str) -> AdapterRecord:
        """One stored adapter of that target. Raises AdapterNotFound."""
        with self._reader.database() as database:
            if database:
                return adapters.get_adapter(database, self.bundle_id, target, adapter_id)
        raise AdapterNotFound(f"{target} has no adapter {adapter_id!r}")

    def adapter(self, adapter_id: str) -> CategoryAdapter | StyleAdapter | None:
        """An adapter's arrays; None when it was deleted in this very moment. Raises OnlineCorrupt, OnlineUnreadable."""
        with self._reader.database() as database:
            try:
                arrays = adapters.arrays_of(database, adapter_id) if database else None
            except sqlite3.Error as error:
                raise unreadable(error) from error
        # Parsed outside the lock: megabytes of numbers must not keep every other reader waiting.
        return None if arrays is None else adapter_from_bytes(arrays, adapter_id, self._adapted_dim)

    def check(self) -> None:
        """Read the arrays of every active adapter. Raises OnlineCorrupt; what cannot be read now is in `problem`."""
        for adapter_id in self.state().active.values():
            self.adapter(adapter_id)

    def support_of(self, adapter_id: str) -> list[SupportPair]:
        """The examples that an adapter was fitted to."""
        with self._reader.database() as database:
            return adapters.support_of(database, adapter_id) if database else []

    def thumbnail(self, photo_id: str) -> Thumbnail | None:
        """An uploaded photo's thumbnail; None for an id that is not stored."""
        with self._reader.database() as database:
            return photos.thumbnail_of(database, photo_id) if database else None

    def image(self, photo_id: str) -> bytes | None:
        """An uploaded photo's file, to the byte; None for an id that is not stored."""
        with self._reader.database() as database:
            return photos.image_of(database, photo_id) if database else None

    def add(self, new: NewAdapter, max_adapters: int, max_photos: int) -> AdapterRecord:
        """Store an adapter, its support and its photos atomically.

        Raises AdaptersLimit, OnlinePhotosLimit, OnlineTargetsLimit, OnlineFull, OnlineUnwritable, OnlineCorrupt.
        """
        with transaction(self.folder) as database:
            adapter_id = adapters.add_adapter(database, new, max_adapters, self._limits.max_targets)
            photos.add_photos(database, new.photos, self.bundle_id, adapter_id, max_photos, self.after)
            self._reject_bytes(used_bytes(database))
            return adapters.get_adapter(database, self.bundle_id, new.target, adapter_id)

    def activate(self, target: AdapterTarget, adapter_id: str) -> AdapterRecord:
        """Activate a stored adapter. Raises AdapterNotFound, AdapterStale, OnlineUnwritable."""
        self.get_adapter(target, adapter_id)  # no need to write where there is nothing to change
        with transaction(self.folder) as database:
            adapters.activate(database, self.bundle_id, target, adapter_id)
            return adapters.get_adapter(database, self.bundle_id, target, adapter_id)

    def roll_back(self, target: AdapterTarget) -> str | None:
        """Activate what was active before. Raises NothingToRollBack, OnlineUnwritable."""
        # As in `activate`: a transaction would make the database only to find nothing in it.
        if target not in self.state().active:
            raise NothingToRollBack(f"{target} has no active adapter")
        with transaction(self.folder) as database:
            return adapters.roll_back(database, self.bundle_id, target)

    def delete(self, target: AdapterTarget, adapter_id: str, *, with_photos: bool = False) -> None:
        """Delete an adapter; `with_photos`: also the photos that came with it, where no other adapter needs them.

        Raises AdapterNotFound, OnlineUnwritable, OnlineCorrupt.
        """
        self.get_adapter(target, adapter_id)
        with transaction(self.folder) as database:
            if with_photos:
                photos.delete_photos_of(database, adapter_id, self.after)
            adapters.delete_adapter(database, self.bundle_id, target, adapter_id)

    def set_vectors(self, vectors: Mapping[str, bytes]) -> None:
        """Give uploaded photos their embeddings by this bundle. Raises OnlineUnwritable."""
        with transaction(self.folder) as database:
            for photo_id, vector in vectors.items():
                photos.set_vector(database, photo_id, self.bundle_id, vector, self.after)

    def put_photos(self, new: Sequence[NewPhoto], max_photos: int) -> list[OnlinePhoto]:
        """Store photos in place of whatever their ids were, atomically; the photos with their numbers.

        Raises OnlinePhotosLimit, OnlineFull, OnlineUnwritable, OnlineCorrupt.
        """
        with transaction(self.folder) as database:
            stored = [photos.put_photo(database, photo, self.bundle_id, max_photos, self.after) for photo in new]
            self._reject_bytes(used_bytes(database))
            return stored

    def patch_photo(self, patch: PhotoPatch) -> None:
        """Change category and metadata of a photo that is there, whether it was uploaded or is in the index.

        Raises PhotoNotFound where it was deleted in this moment; OnlineFull, OnlineUnwritable, OnlineCorrupt.
        """
        with transaction(self.folder) as database:
            if changes.is_deleted(database, patch.photo_id):
                raise PhotoNotFound(f"no photo {patch.photo_id!r} in this gallery")
            if not photos.describe_photo(database, patch, self.after):
                changes.patch(database, patch, self.after)
            self._reject_bytes(used_bytes(database))

    def delete_photo(self, photo_id: str) -> None:
        """Take a photo away until it is uploaded again, uploaded or indexed. Raises OnlineUnwritable, OnlineCorrupt."""
        with transaction(self.folder) as database:
            changes.delete(database, photo_id, self.after)

    def content_of(self, sha256: str) -> NewPhoto | None:
        """An uploaded photo of a file with that hash, which this bundle has embedded; None where there is none."""
        with self._reader.database() as database:
            return photos.content_of(database, sha256, self.bundle_id) if database else None

    def sha256_of(self, photo_id: str) -> tuple[str, str] | None:
        """Hash and category of an uploaded photo; None for an id that is not stored."""
        with self._reader.database() as database:
            return photos.sha256_of(database, photo_id) if database else None

    def close(self) -> None:
        """Close the database; a later call opens it again."""
        self._reader.close()

    @property
    def after(self) -> int:
        """What numbers of changes have to be higher than: what the index holds."""
        return self._sealed.change if self._sealed else 0

    def _reject_bytes(self, used: int) -> None:
        if used >= self._limits.max_bytes:
            raise OnlineFull(f"{used:,} bytes of adapters and photos are kept; {self._limits.max_bytes:,} are the most")
