"""The online store of one process: its view of the database, always of one moment, and the changes it makes."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from index_builder.artifact import PhotoNotFound, Thumbnail
from models.adapters import CategoryAdapter, StyleAdapter
from service.errors import AdapterNotFound, NothingToRollBack, OnlineCorrupt, OnlineFull, OnlineUnreadable
from service.store import adapters, changes, photos
from service.store.arrays import adapter_from_bytes
from service.store.database import FILE, connect, has_tables, transaction, unreadable, used_bytes
from service.store.online_state import OnlineState
from service.store.photo_changes import PhotoChanges
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

_log = logging.getLogger("inkseek.service")


NOTHING = OnlineState()


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
        self.problem: str | None = None
        self._adapted_dim = adapted_dim
        self._path = folder / FILE
        self._lock = threading.Lock()
        self._reader: sqlite3.Connection | None = None
        self._reader_inode = 0
        self._seen_version = -1
        self._generation = 0
        self._cookie: int | None = None
        self._state = NOTHING
        self._opened_once = False
        self._lost: str | None = None

    def state(self) -> OnlineState:
        """The store as it is now; what another process changed is seen at once.

        Raises OnlineCorrupt when it is damaged from the start. Otherwise the last whole state is still served, and
        `problem` says why.
        """
        with self._lock:
            try:
                self._refresh()
            except (OnlineCorrupt, OnlineUnreadable, sqlite3.Error) as error:
                cause = unreadable(error) if isinstance(error, sqlite3.Error) else error
                if not self._opened_once and isinstance(cause, OnlineCorrupt):
                    raise cause from error
                self._note(str(cause))
            else:
                self._note(self._lost)
            self._opened_once = True
            return self._state

    @property
    def change_count(self) -> int:
        """Photos that were uploaded, changed or deleted since the index was built, when the store was last read."""
        return self._state.changes.count

    def reject_when_full(self, target: AdapterTarget) -> None:
        """Raises OnlineFull, OnlineTargetsLimit where an adapter for `target` could not be stored."""
        state = self.state()
        adapters.reject_new_target(state.targets, target, self._limits.max_targets)
        self._reject_bytes(state.used_bytes)

    def list_adapters(self, target: AdapterTarget | None = None) -> list[AdapterRecord]:
        """The adapters of one target, or all; the newest first."""
        with self._lock:
            database = self._database()
            return adapters.list_adapters(database, self.bundle_id, target) if database else []

    def get_adapter(self, target: AdapterTarget, adapter_id: str) -> AdapterRecord:
        """One stored adapter of that target. Raises AdapterNotFound."""
        with self._lock:
            database = self._database()
            if database:
                return adapters.get_adapter(database, self.bundle_id, target, adapter_id)
        raise AdapterNotFound(f"{target} has no adapter {adapter_id!r}")

    def adapter(self, adapter_id: str) -> CategoryAdapter | StyleAdapter | None:
        """An adapter's arrays; None when it was deleted in this very moment. Raises OnlineCorrupt, OnlineUnreadable."""
        with self._lock:
            database = self._database()
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
        with self._lock:
            database = self._database()
            return adapters.support_of(database, adapter_id) if database else []

    def thumbnail(self, photo_id: str) -> Thumbnail | None:
        """An uploaded photo's thumbnail; None for an id that is not stored."""
        with self._lock:
            database = self._database()
            return photos.thumbnail_of(database, photo_id) if database else None

    def image(self, photo_id: str) -> bytes | None:
        """An uploaded photo's file, to the byte; None for an id that is not stored."""
        with self._lock:
            database = self._database()
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
        with self._lock:
            database = self._database()
            return photos.content_of(database, sha256, self.bundle_id) if database else None

    def sha256_of(self, photo_id: str) -> tuple[str, str] | None:
        """Hash and category of an uploaded photo; None for an id that is not stored."""
        with self._lock:
            database = self._database()
            return photos.sha256_of(database, photo_id) if database else None

    def close(self) -> None:
        """Close the database; a later call opens it again."""
        with self._lock:
            self._close()

    @property
    def after(self) -> int:
        """What numbers of changes have to be higher than: what the index holds."""
        return self._sealed.change if self._sealed else 0

    def _reject_bytes(self, used: int) -> None:
        if used >= self._limits.max_bytes:
            raise OnlineFull(f"{used:,} bytes of adapters and photos are kept; {self._limits.max_bytes:,} are the most")

    def _note(self, problem: str | None) -> None:
        """What is wrong, from now on; logged once."""
        if problem is not None and problem != self.problem:
            _log.error("the online store: %s", problem)
        self.problem = problem

    def _refresh(self) -> None:
        database = self._database()
        if database is None or not has_tables(database):
            if self._state.targets or self._state.photos:
                self._lost = (
                    f"its database is gone or empty: {len(self._state.targets):,} categories and profiles had adapters "
                    f"in it, and it had {len(self._state.photos):,} photos"
                )
            self._state, self._seen_version = NOTHING, -1
            return
        self._lost = None
        # Changes with each commit of another connection, and our changes are made through others than this one.
        version = int(database.execute("PRAGMA data_version").fetchone()[0])
        if version == self._seen_version:
            return
        # One transaction for all queries, so that they see one commit. A commit between the version and this is loaded
        # now and once more on the next call; the other order would miss it.
        database.execute("BEGIN")
        try:
            self._state = self._load(database)
        finally:
            database.execute("COMMIT")
        self._seen_version = version

    def _load(self, database: sqlite3.Connection) -> OnlineState:
        active = adapters.active_adapters(database, self.bundle_id)
        outdated = adapters.outdated(database, self.bundle_id)
        store_id, change, photo_count = changes.totals(database)
        self._look_whether_replaced(database)
        known = self._state.changes
        if known.generation != self._generation or known.store_id != store_id or change < known.change > known.sealed:
            # What the index holds of another store says nothing of this one.
            same = self._sealed is not None and self._sealed.store_id == store_id
            sealed = self.after if same else 0
            known = PhotoChanges(self._generation, sealed, store_id, sealed)
        known = known.followed_by(
            photos.photos_after(database, self.bundle_id, known.change),
            changes.patches_after(database, known.change),
            changes.deletions_after(database, known.change),
            max(change, known.sealed),
        )
        targets = adapters.targets(database)
        return OnlineState(active, targets, known, photo_count, tuple(outdated), used_bytes(database))

    def _look_whether_replaced(self, database: sqlite3.Connection) -> None:
        """SQLite counts this cookie up where a backup is copied into the database (`copies.replace_store`), whose
        numbers of changes may be those of other changes.
        """
        cookie = int(database.execute("PRAGMA schema_version").fetchone()[0])
        if self._cookie is not None and cookie != self._cookie:
            self._generation += 1
        self._cookie = cookie

    def _database(self) -> sqlite3.Connection | None:
        """The reading connection, to the file that lies there now (a backup may have been put in its place)."""
        try:
            inode = self._path.stat().st_ino
        except OSError:
            self._close()
            return None
        if self._reader is None or inode != self._reader_inode:
            self._close()
            reader = connect(self._path)
            if not has_tables(reader):
                reader.close()
                return None
            self._reader, self._reader_inode = reader, inode
            self._generation += 1
        return self._reader

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
        # `data_version` can only be compared within one connection.
        self._reader, self._seen_version = None, -1
