"""Which files make up a version: what its manifest lists, and what those of its segments list."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from index_builder.artifact import layout
from index_builder.artifact.manifest import FileEntry, IndexManifest, manifest_digest, parse_manifest
from index_builder.artifact.segments.segment import SEGMENT, parse_segment
from index_builder.artifact.verification import expect

Read = Callable[[str], bytes]
"""The content of a small file, by its path below the index directory; raises IndexCorrupt."""

_PLACE = re.compile(
    r"(?:versions/\d{6,}-[0-9a-f]{12}|segments/[0-9a-f]{16})/[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII
)


@dataclass(frozen=True)
class VersionContents:
    """One version: its manifest, and every file by its path below the index directory, with `/` between folders."""

    version: str
    manifest: IndexManifest
    files: dict[str, FileEntry]


def contents_of(version: str, read: Read) -> VersionContents:
    """What makes up `version`, every byte of which its name authenticates.

    Raises IndexCorrupt where names and contents differ, IndexSchemaUnsupported.
    """
    place = f"versions/{version}/{layout.MANIFEST}"
    data = read(place)
    manifest = parse_manifest(data)
    expect(f"sha256 of {place}", layout.version_digest(version), manifest_digest(data))
    files = {place: _entry(data)} | _below(f"versions/{version}", manifest.files)
    for entry in manifest.segments:
        place = f"segments/{entry.name}/{SEGMENT}"
        data = read(place)
        files[place] = _entry(data)
        files |= _below(f"segments/{entry.name}", parse_segment(data, entry.name).files)
    return VersionContents(version, manifest, files)


def is_place(path: str) -> bool:
    """Whether a file of an index may lie there: in the folder of a version or a segment, and nowhere else."""
    return _PLACE.fullmatch(path) is not None


def _below(folder: str, files: dict[str, FileEntry]) -> dict[str, FileEntry]:
    return {f"{folder}/{name}": entry for name, entry in files.items()}


def _entry(data: bytes) -> FileEntry:
    return FileEntry(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
