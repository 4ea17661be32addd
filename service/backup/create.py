"""Making an archive, while the service runs: versions are held, the online store is copied as of one moment."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import get_args

from index_builder.artifact import OutgoingIndex, outgoing_index
from index_builder.artifact.layout import hash_file
from service.access.key_file import parse_keys
from service.backup.archive import Outgoing, member_of, write_archive
from service.backup.contents import KEYS, ONLINE, QUOTAS, BackupContents, GalleryPart, IndexPart, Member, Part
from service.backup.errors import ArchiveExists, BackupUnsupported, BackupUnwritable, PartMissing
from service.backup.places import GalleryPlace, Places
from service.store.copies import copy_store, has_store

EVERY_PART: tuple[Part, ...] = get_args(Part)
ARCHIVES = "inkseek-*.tar"


@dataclass(frozen=True)
class BackupRequest:
    """What to put into an archive. `galleries`: none of them: all there are."""

    parts: tuple[Part, ...] = EVERY_PART
    galleries: tuple[str, ...] = ()
    every_version: bool = False
    replace: bool = False


@dataclass
class _Gathered:
    """Files on their way into an archive, and what is said of them."""

    files: list[Outgoing] = field(default_factory=list)
    galleries: dict[str, GalleryPart] = field(default_factory=dict)
    keys: int | None = None


def archive_path(target: Path, now: datetime | None = None) -> Path:
    """`target`, or in the folder of that name a file that says when it was made."""
    moment = now or datetime.now(UTC)
    return target / f"inkseek-{moment:%Y%m%dT%H%M%SZ}.tar" if target.is_dir() else target


def create(path: Path, places: Places, request: BackupRequest) -> BackupContents:
    """Write the archive; what it holds.

    Raises ArchiveExists, PartMissing, BackupUnsupported, BackupUnwritable, ArchiveCorrupt (a file of the index is not
    as it was built), IndexArtifactError, OnlineCorrupt, OnlineUnreadable, KeysUnreadable.
    """
    if path.exists() and not request.replace:
        raise ArchiveExists(f"{path} is there; give another name, or --force to replace it")
    with ExitStack() as stack:
        gathered = _Gathered()
        for name, place in _galleries(places, request.galleries).items():
            gathered.galleries[name] = _gather(stack, gathered, name, place, request, path.parent)
        if "keys" in request.parts and places.keys.is_file():
            data = places.keys.read_bytes()
            gathered.keys = len(parse_keys(data, str(places.keys)))
            gathered.files.append(Outgoing(KEYS, member_of(data), data))
        contents = BackupContents(
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            inkseek_version=metadata.version("inkseek"),
            galleries=gathered.galleries,
            keys=gathered.keys,
            limits=places.limits(),
            members={file.path: file.member for file in gathered.files},
        )
        if not gathered.files:
            raise PartMissing(f"there is nothing to back up: no {' and no '.join(request.parts)}")
        write_archive(path, contents, gathered.files)
    return contents


def remove_older(path: Path, keep: int) -> list[Path]:
    """Remove all archives beside `path` but the `keep` newest, by their names; those that were removed."""
    older = sorted(path.parent.glob(ARCHIVES))[:-keep]
    for archive in older:
        archive.unlink()
    return older


def _galleries(places: Places, names: tuple[str, ...]) -> dict[str, GalleryPlace]:
    known = places.names()
    if unknown := sorted(set(names) - set(known)):
        raise PartMissing(f"there is no gallery {unknown[0]!r}; there are {', '.join(known)}")
    found = {name: places.gallery(name) for name in names or known}
    return {name: place for name, place in found.items() if place is not None}


def _gather(
    stack: ExitStack, gathered: _Gathered, name: str, place: GalleryPlace, request: BackupRequest, beside: Path
) -> GalleryPart:
    part = GalleryPart()
    if "index" in request.parts:
        index = stack.enter_context(outgoing_index(place.index, every_version=request.every_version))
        part = part.model_copy(update={"index": _index_part(index)})
        gathered.files += _index_files(name, index)
    if "limits" in request.parts and place.quotas.is_file():
        data = place.quotas.read_bytes()
        gathered.files.append(Outgoing(f"galleries/{name}/{QUOTAS}", member_of(data), data))
        part = part.model_copy(update={"quotas": True})
    if "online" in request.parts and has_store(place.online):
        copy = stack.enter_context(_beside(beside))
        try:
            schema = copy_store(place.online, copy)
        except OSError as error:
            raise BackupUnwritable(f"{copy} cannot be written: {error}") from error
        entry = hash_file(copy)
        member = Member(bytes=entry.bytes, sha256=entry.sha256)
        gathered.files.append(Outgoing(f"galleries/{name}/{ONLINE}", member, copy))
        part = part.model_copy(update={"online_schema": schema})
    return part


def _index_part(index: OutgoingIndex) -> IndexPart:
    published = next(version.manifest for version in index.versions if version.version == index.published)
    for version in index.versions:
        if version.manifest.collection is not None:
            raise BackupUnsupported(
                f"version {version.version} of {index.folder} has its vectors in Milvus, and no archive holds those: "
                "back that up with its own tools, and the rest with --only online --only keys --only limits"
            )
    return IndexPart(
        bundle_id=published.bundle_id,
        published=index.published,
        versions=tuple(version.version for version in index.versions),
        photos=published.count,
    )


def _index_files(name: str, index: OutgoingIndex) -> Iterator[Outgoing]:
    files = {place: entry for version in index.versions for place, entry in version.files.items()}
    for place, entry in files.items():  # segments that several versions share are there once
        member = Member(bytes=entry.bytes, sha256=entry.sha256)
        yield Outgoing(f"galleries/{name}/{place}", member, index.folder / place)


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """A name for a file in `folder`, which is removed with the block. Raises BackupUnwritable."""
    try:
        with tempfile.TemporaryDirectory(prefix=".inkseek-backup-", dir=folder) as made:
            yield Path(made) / ONLINE
    except OSError as error:
        raise BackupUnwritable(f"{folder} cannot be written: {error.strerror or error}") from error
