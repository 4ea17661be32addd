"""Checking an archive, all of it, without writing any of it anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from index_builder.artifact import IndexArtifactError, IndexCorrupt, contents_of
from models.schema_versions import unreadable
from service.access.errors import KeysUnreadable
from service.access.key_file import parse_keys
from service.backup.archive import open_archive
from service.backup.contents import KEYS, ONLINE, QUOTAS, BackupContents, check_member
from service.backup.errors import ArchiveCorrupt, ArchiveSchemaUnsupported
from service.backup.sinks import Kept, Sink
from service.runtime.galleries.quotas import Quotas
from service.store.copies import version_in_header
from service.store.schema import READABLE_VERSIONS

_HEADER_BYTES = 100
_DESCRIPTIONS = ("manifest.json", "segment.json")


@dataclass
class Descriptions:
    """The small members that say what the large ones are, kept while an archive is read."""

    _sinks: dict[str, Kept] = field(default_factory=dict)

    def sink_of(self, path: str) -> Sink | None:
        """Where to write a member, if it is one of them."""
        _, place = check_member(path)
        if place in (KEYS, QUOTAS) or place.endswith(_DESCRIPTIONS):
            return self._sinks.setdefault(path, Kept())
        return self._sinks.setdefault(path, Kept(_HEADER_BYTES)) if place == ONLINE else None

    def small(self, path: str) -> bytes | None:
        """A member that is kept whole; None where the archive has none of that path."""
        kept = self._sinks.get(path)
        return None if kept is None else kept.data

    def check(self, contents: BackupContents) -> None:
        """Whether what they say is what the archive has. Raises ArchiveCorrupt, ArchiveSchemaUnsupported."""
        for name, part in contents.galleries.items():
            if part.index is not None:
                self._check_index(contents, name, part.index.versions, part.index.published)
            self._check_online(name, part.online_schema)
            self._check_quotas(name, is_said=part.quotas)
        data = self.small(KEYS)
        try:
            found = None if data is None else len(parse_keys(data, KEYS))
        except KeysUnreadable as error:
            raise ArchiveCorrupt(str(error)) from error
        if found != contents.keys:
            raise ArchiveCorrupt(f"the archive says that it has {contents.keys} API keys, and has {found}")

    def _check_index(self, contents: BackupContents, name: str, versions: tuple[str, ...], published: str) -> None:
        def read(place: str) -> bytes:
            try:
                return self._sinks[f"galleries/{name}/{place}"].data
            except KeyError as error:
                raise IndexCorrupt(place, expected="a member of the archive", actual="none") from error

        if published not in versions:
            raise ArchiveCorrupt(f"the published version {published} of gallery {name} is not in the archive")
        for version in versions:
            try:
                files = contents_of(version, read).files
            except IndexArtifactError as error:
                raise ArchiveCorrupt(f"version {version} of gallery {name}: {error}") from error
            for place, entry in files.items():
                member = contents.members.get(f"galleries/{name}/{place}")
                if member is None or (member.bytes, member.sha256) != (entry.bytes, entry.sha256):
                    raise ArchiveCorrupt(f"version {version} of gallery {name} needs another {place}")

    def _check_online(self, name: str, schema: int | None) -> None:
        kept = self._sinks.get(f"galleries/{name}/{ONLINE}")
        if (kept is None) != (schema is None):
            raise ArchiveCorrupt(f"the archive contradicts itself about the online store of gallery {name}")
        if kept is None:
            return
        found = version_in_header(kept.data)
        if found != schema:
            raise ArchiveCorrupt(f"the online store of gallery {name} has schema version {found}, not {schema}")
        if found not in READABLE_VERSIONS:
            raise ArchiveSchemaUnsupported(unreadable(f"the online store of gallery {name}", found, READABLE_VERSIONS))

    def _check_quotas(self, name: str, *, is_said: bool) -> None:
        data = self.small(f"galleries/{name}/{QUOTAS}")
        if is_said != (data is not None):
            raise ArchiveCorrupt(f"the archive contradicts itself about the quotas of gallery {name}")
        try:
            if data is not None:
                Quotas.model_validate_json(data)
        except ValidationError as error:
            raise ArchiveCorrupt(f"the quotas of gallery {name}: {error}") from error


def verify(path: Path) -> BackupContents:
    """Read every byte of an archive, and compare; what it holds.

    Raises ArchiveUnreadable, ArchiveCutShort, ArchiveCorrupt, ArchiveUnsafe, ArchiveSchemaUnsupported.
    """
    descriptions = Descriptions()
    with open_archive(path) as archive:
        archive.each(descriptions.sink_of)
        descriptions.check(archive.contents)
        return archive.contents
