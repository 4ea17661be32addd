"""Names and places of the files of an index directory, and the pointer to the published version.

OUT/current                  name of the published version
OUT/current_of/              names of versions that other bundles serve meanwhile: bundle_versions.py
OUT/versions/<version>/      immutable: manifest.json, report.jsonl, stamps.npy and, where there are several segments
                                 or deleted photos, rows.npy
OUT/segments/<segment>/      immutable: segment.json, vectors.npy, photos.sqlite and, for an approximate store,
                                 index.faiss; versions share them
OUT/partitions/<digest>/     what an interrupted build has embedded, until the next one publishes or begins anew
OUT/milvus.json              the alias of the gallery's collections, where a build has written some
OUT/*/.building-*            a build in progress, or what a killed one left behind

Before schema version 3, the folder of a version held what its one segment holds now.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from index_builder.artifact.errors import IndexCorrupt, IndexNotFound
from index_builder.artifact.manifest import FileEntry
from index_builder.stores.choice import ANN_INDEX, VECTORS
from index_builder.stores.row_map import ROWS
from models.atomic_files import write_text

MANIFEST = "manifest.json"
PHOTOS = "photos.sqlite"
REPORT = "report.jsonl"
STAMPS = "stamps.npy"
MILVUS = "milvus.json"

__all__ = [
    "ANN_INDEX",
    "MANIFEST",
    "MILVUS",
    "PHOTOS",
    "REPORT",
    "ROWS",
    "STAMPS",
    "VECTORS",
    "current_version",
    "hash_file",
    "list_versions",
    "partitions_dir",
    "publish_pointer",
    "segment_dir",
    "segments_dir",
    "version_digest",
    "version_dir",
    "version_name",
    "version_sequence",
    "versions_dir",
]

_POINTER = "current"
_VERSIONS = "versions"
_SEGMENTS = "segments"
_PARTITIONS = "partitions"
# Six digits sort by name as well; a seventh is allowed, so that the count never ends.
_VERSION_NAME = re.compile(r"^(\d{6,})-([0-9a-f]{12})$")
_HASH_BLOCK_BYTES = 1 << 20


def _always() -> None:
    pass


def versions_dir(out_dir: Path) -> Path:
    """The folder of all versions, complete and in progress; it may not exist yet."""
    return out_dir / _VERSIONS


def segments_dir(out_dir: Path) -> Path:
    """The folder of all segments, complete and in progress; it may not exist yet."""
    return out_dir / _SEGMENTS


def partitions_dir(out_dir: Path) -> Path:
    """The folder of what a build has finished of a version that is not published yet; it may not exist."""
    return out_dir / _PARTITIONS


def segment_dir(version: Path, name: str) -> Path:
    """Folder of a segment that a version names, beside the folder of versions; `version`: that version's folder."""
    return segments_dir(version.parent.parent) / name


def version_dir(out_dir: Path, version: str) -> Path:
    """Folder of a named version. Raises IndexNotFound when the name is malformed, or there is no such version."""
    path = versions_dir(out_dir) / version
    if not _VERSION_NAME.match(version) or not path.is_dir():
        known = ", ".join(list_versions(out_dir)) or "none"
        raise IndexNotFound(f"no version {version!r} in {out_dir} (versions there: {known})")
    return path


def version_digest(version: str) -> str:
    """The manifest digest in a version's name; "" for a malformed name."""
    match = _VERSION_NAME.match(version)
    return match.group(2) if match else ""


def version_name(sequence: int, digest: str) -> str:
    """Name of the `sequence`-th build, whose manifest has that digest."""
    return f"{sequence:06d}-{digest}"


def version_sequence(version: str) -> int:
    """The sequence number in a version's name: a later build has a higher one. Raises IndexNotFound."""
    match = _VERSION_NAME.match(version)
    if match is None:
        raise IndexNotFound(f"{version!r} is no version name")
    return int(match.group(1))


def list_versions(out_dir: Path) -> list[str]:
    """Complete versions, oldest first, without the folders of unfinished builds."""
    folder = versions_dir(out_dir)
    if not folder.is_dir():
        return []
    names = [entry.name for entry in folder.iterdir() if _VERSION_NAME.match(entry.name) and entry.is_dir()]
    return sorted(names, key=version_sequence)


def current_version(out_dir: Path) -> str:
    """Name of the published version. Raises IndexNotFound, IndexCorrupt."""
    pointer = out_dir / _POINTER
    try:
        text = pointer.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise IndexNotFound(
            f"no index in {out_dir}: build one with `inkseek index build --photos PHOTOS --out {out_dir}`"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise IndexCorrupt(f"{pointer}", expected="the name of a version", actual=str(error)) from error
    # The name becomes a path: anything else in the pointer could lead out of the index.
    if not _VERSION_NAME.match(text):
        raise IndexCorrupt(f"{pointer}", expected="the name of a version", actual=repr(text[:80]))
    return text


def publish_pointer(out_dir: Path, version: str) -> None:
    """Make `version` the published one, atomically. Raises OSError; the old one is then still published."""
    write_text(out_dir / _POINTER, version + "\n")


def hash_file(path: Path, go_on: Callable[[], None] = _always) -> FileEntry:
    """Size and sha256 of a file. Raises IndexCorrupt when it is missing or cannot be read, and what `go_on` raises.

    `go_on` is called for each mebibyte.
    """
    digest = hashlib.sha256()
    size = 0
    try:
        with path.open("rb") as file:
            while block := file.read(_HASH_BLOCK_BYTES):
                digest.update(block)
                size += len(block)
                go_on()
    except OSError as error:
        raise IndexCorrupt(path.name, expected="a readable file", actual=error.strerror or str(error)) from error
    return FileEntry(bytes=size, sha256=digest.hexdigest())
