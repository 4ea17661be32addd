"""Putting an archive back: into folders that are empty, or onto a service that runs.

Everything is unpacked out of sight and checked first. Then each part takes its place atomically: the online store in
one transaction, the index by the swap of its pointer, keys and quotas by a rename. Killed before that, nothing was
changed; killed in between, each part is the old one or the new one, and restoring again ends it.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from index_builder.artifact import BundleMismatch, IncomingIndex, IndexArtifactError, clear_staging, locked
from index_builder.artifact.layout import list_versions
from models.atomic_files import write_bytes
from service.access.key_file import parse_keys, replace_keys
from service.backup.archive import ArchiveReader, open_archive
from service.backup.contents import KEYS, ONLINE, QUOTAS, GalleryPart, Part, check_member
from service.backup.create import EVERY_PART
from service.backup.errors import ArchiveCorrupt, BackupUnwritable, PartMissing, TargetNotEmpty
from service.backup.places import GalleryPlace, Places
from service.backup.sinks import Sink, Tee
from service.backup.verify import Descriptions
from service.store.copies import check_store_file, has_store, replace_store

_STAGED_PREFIX = ".restoring-"


@dataclass(frozen=True)
class RestoreRequest:
    """What to take from an archive. `parts`, `galleries`: none of them: all that it has. `replace`: over what is there.

    `bundle_id`: of the service that will serve it; None: whatever bundle the archive is of.
    """

    parts: tuple[Part, ...] = ()
    galleries: tuple[str, ...] = ()
    replace: bool = False
    bundle_id: str | None = None


@dataclass(frozen=True)
class Restored:
    """What was put back: by gallery its parts, and the name of the version that is published now."""

    galleries: dict[str, tuple[Part, ...]]
    versions: dict[str, str]
    keys: int | None = None
    limits: dict[str, tuple[object, object]] = field(default_factory=dict)


@dataclass
class _Gallery:
    """One gallery while it is restored: where, which parts, and what is staged of them."""

    name: str
    place: GalleryPlace
    part: GalleryPart
    parts: set[Part]
    index: IncomingIndex | None = None
    online: Path | None = None

    def sink_of(self, place: str) -> Sink | None:
        if place == ONLINE:
            return None if self.online is None else self.online.open("wb")
        return None if self.index is None or place == QUOTAS else self.index.path_of(place).open("wb")


def restore(path: Path, places: Places, request: RestoreRequest) -> Restored:
    """Put an archive back.

    Raises PartMissing, TargetNotEmpty, BundleMismatch, BuildLocked, BackupUnwritable, OnlineUnwritable, OnlineCorrupt,
    KeysUnwritable, and as `verify`.
    """
    with open_archive(path) as archive, ExitStack() as stack:
        wanted = _wanted(archive, request.parts)
        galleries = {name: _gallery(archive, places, name, wanted) for name in _names(archive, request.galleries)}
        keys = KEYS in archive.contents.members and "keys" in wanted
        _check_bundles(galleries.values(), request.bundle_id)
        if not request.replace:
            _check_empty(galleries.values(), places.keys if keys else None)
        try:
            for gallery in galleries.values():
                _stage(stack, gallery)
            descriptions = _unpack(archive, galleries)
            versions = {name: _commit(gallery, descriptions) for name, gallery in galleries.items()}
            data = descriptions.small(KEYS)
            restored_keys = parse_keys(data, KEYS) if keys and data is not None else None
            if restored_keys is not None:
                places.keys.parent.mkdir(parents=True, exist_ok=True)
                replace_keys(places.keys, restored_keys)
        except OSError as error:
            raise BackupUnwritable(f"{error.filename or path}: {error.strerror or error}") from error
        present = places.limits()
        return Restored(
            {name: tuple(sorted(gallery.parts)) for name, gallery in galleries.items()},
            {name: version for name, version in versions.items() if version is not None},
            None if restored_keys is None else len(restored_keys),
            {k: (v, present[k]) for k, v in archive.contents.limits.items() if k in present and present[k] != v},
        )


def _wanted(archive: ArchiveReader, parts: Collection[Part]) -> set[Part]:
    contents = archive.contents
    there: set[Part] = {"keys"} if contents.keys is not None else set()
    for gallery in contents.galleries.values():
        there |= _parts_of(gallery)
    if missing := sorted(set(parts) - there):
        raise PartMissing(f"the archive has no {missing[0]}; it has {', '.join(sorted(there))}")
    return set(parts or EVERY_PART)


def _parts_of(gallery: GalleryPart) -> set[Part]:
    has: dict[Part, bool] = {
        "index": gallery.index is not None,
        "online": gallery.online_schema is not None,
        "limits": gallery.quotas,
    }
    return {part for part, is_there in has.items() if is_there}


def _names(archive: ArchiveReader, galleries: tuple[str, ...]) -> list[str]:
    there = archive.contents.galleries
    if unknown := sorted(set(galleries) - set(there)):
        raise PartMissing(f"the archive has no gallery {unknown[0]!r}; it has {', '.join(there)}")
    return list(galleries or there)


def _gallery(archive: ArchiveReader, places: Places, name: str, wanted: set[Part]) -> _Gallery:
    place = places.gallery(name)
    if place is None:
        raise PartMissing(
            f"the archive has the gallery {name!r}, and nothing says where it belongs: give --galleries, or name those "
            "to restore with --gallery"
        )
    part = archive.contents.galleries[name]
    return _Gallery(name, place, part, _parts_of(part) & wanted)


def _check_bundles(galleries: Collection[_Gallery], bundle_id: str | None) -> None:
    for gallery in galleries:
        index = gallery.part.index
        if bundle_id and index and "index" in gallery.parts and index.bundle_id != bundle_id:
            raise BundleMismatch(
                f"bundle of gallery {gallery.name} in the archive",
                expected=bundle_id,
                actual=index.bundle_id,
                advice="give --bundle with the bundle that is to serve it, or --only for the other parts",
            )


def _check_empty(galleries: Collection[_Gallery], keys: Path | None) -> None:
    there: list[Path] = []
    for gallery in galleries:
        place = gallery.place
        there += [place.index] if "index" in gallery.parts and list_versions(place.index) else []
        there += [place.online] if "online" in gallery.parts and has_store(place.online) else []
        there += [place.quotas] if "limits" in gallery.parts and place.quotas.exists() else []
    there += [keys] if keys is not None and keys.exists() else []
    if there:
        raise TargetNotEmpty(
            f"{', '.join(map(str, there))}: not empty. With --replace the archive takes their place: the index as a "
            "new version, online store and keys as they were when the archive was made"
        )


def _stage(stack: ExitStack, gallery: _Gallery) -> None:
    """Make room for what arrives; the index is locked until the end."""
    if "index" in gallery.parts:
        stack.enter_context(locked(gallery.place.index))
        clear_staging(gallery.place.index)
        gallery.index = IncomingIndex(gallery.place.index)
        stack.callback(gallery.index.discard)
    if "online" in gallery.parts:
        folder = gallery.place.online
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob(f"{_STAGED_PREFIX}*"):
            leftover.unlink(missing_ok=True)
        gallery.online = folder / f"{_STAGED_PREFIX}{uuid4().hex[:12]}.sqlite"
        stack.callback(gallery.online.unlink, missing_ok=True)


def _unpack(archive: ArchiveReader, galleries: dict[str, _Gallery]) -> Descriptions:
    """Write what is wanted, and check all; the small members."""
    descriptions = Descriptions()

    def sink_of(path: str) -> Sink | None:
        name, place = check_member(path)
        kept = descriptions.sink_of(path)
        gallery = galleries.get(name)
        written = None if gallery is None else gallery.sink_of(place)
        if kept is not None and written is not None:
            return Tee(kept, written)
        return written or kept

    archive.each(sink_of)
    descriptions.check(archive.contents)
    for gallery in galleries.values():
        try:
            if gallery.index is not None:
                gallery.index.check()
        except IndexArtifactError as error:
            raise ArchiveCorrupt(f"the index of gallery {gallery.name}: {error}") from error
        if gallery.online is not None:
            check_store_file(gallery.online)
    return descriptions


def _commit(gallery: _Gallery, descriptions: Descriptions) -> str | None:
    """Put the parts of one gallery in their place, the store before the index; the version published now."""
    if gallery.online is not None:
        replace_store(gallery.place.online, gallery.online)
    version = None
    if gallery.index is not None and gallery.part.index is not None:
        version = gallery.index.publish(gallery.part.index.published)
    quotas = descriptions.small(f"galleries/{gallery.name}/{QUOTAS}")
    if quotas is not None and "limits" in gallery.parts:
        gallery.place.index.mkdir(parents=True, exist_ok=True)
        write_bytes(gallery.place.quotas, quotas)
    return version
