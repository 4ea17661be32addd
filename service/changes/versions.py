"""The versions of a gallery's index that are kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from index_builder.artifact import IndexArtifactError
from index_builder.artifact.layout import current_version, list_versions, version_dir
from index_builder.artifact.verification import read_manifest


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """One version. `online_changes`: number of the last change of an online store that it holds; 0: none."""

    version: str
    created_at: str
    photos: int
    segments: int
    bytes: int
    bundle_id: str
    published: bool
    online_changes: int


def versions_of(index: Path) -> list[VersionRecord]:
    """The versions of an index directory that can be read, the newest first. Raises IndexNotFound, IndexCorrupt."""
    published, records = current_version(index), []
    for name in reversed(list_versions(index)):
        try:
            manifest = read_manifest(version_dir(index, name))
        except IndexArtifactError:  # pruned in this moment, or damaged: a rollback would say so
            continue
        records.append(
            VersionRecord(
                name,
                manifest.created_at,
                manifest.count,
                max(1, len(manifest.segments)),
                manifest.total_bytes,
                manifest.bundle_id,
                name == published,
                manifest.online.change if manifest.online else 0,
            )
        )
    return records
