"""A long build in pieces: each partition of photos is written aside and renamed, so that a killed build resumes.

A partition's name is the digest of what went into it: the listed photos, the stamps of their files, the bundle and the
limits. A resumed build takes over the partitions of its own inputs whose files are intact, and writes the others.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from index_builder.artifact import layout
from index_builder.artifact.errors import IndexCorrupt
from index_builder.artifact.manifest import FileEntry, MetadataField, plain_file_names
from index_builder.segments.stamps import Stamps
from index_builder.sources.base import SourcePhoto
from models.atomic_files import sync_path

PARTITION: Final = "partition.json"
_FILES = (layout.VECTORS, layout.PHOTOS, layout.REPORT)


class PartitionManifest(BaseModel):
    """What one partition holds: `count` of its `listed` photos; `skipped`: position among them -> reason."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    inputs: str
    bundle_id: str
    embedding_dim: int
    listed: int
    count: int
    metadata_fields: tuple[MetadataField, ...]
    skipped: dict[int, str]
    files: dict[str, FileEntry]

    _plain_names = field_validator("files")(plain_file_names)

    @property
    def written(self) -> npt.NDArray[np.bool_]:
        """(listed,): whether each of the photos has a row."""
        written = np.ones(self.listed, bool)
        written[list(self.skipped)] = False
        return written


def inputs_digest(photos: Sequence[SourcePhoto], stamps: Stamps, recipe: str) -> str:
    """The name of the partition of these photos; `recipe`: all else that its vectors depend on.

    Unknown stamps prove nothing, so the digest of such photos is that of no other build.
    """
    digest = hashlib.sha256(recipe.encode())
    if (stamps < 0).any():
        digest.update(uuid.uuid4().bytes)
    for photo, stamp in zip(photos, stamps.tolist(), strict=True):
        # ASCII escapes carry paths that are not valid UTF-8 as well.
        line = json.dumps([photo.photo_id, photo.category, photo.path, photo.metadata, stamp])
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()[:32]


def complete(staging: Path, folder: Path, manifest: PartitionManifest) -> None:
    """Write partition.json into a staged partition and rename it to `folder`. Raises OSError."""
    (staging / PARTITION).write_text(manifest.model_dump_json(indent=2) + "\n")
    sync_path(staging / PARTITION)
    sync_path(staging)
    shutil.rmtree(folder, ignore_errors=True)
    staging.rename(folder)
    sync_path(folder.parent)


def file_entries(staging: Path) -> dict[str, FileEntry]:
    """Size and hash of the files of a staged partition. Raises IndexCorrupt."""
    return {name: layout.hash_file(staging / name) for name in _FILES}


def read_intact(folder: Path) -> PartitionManifest | None:
    """The manifest of a partition whose name and files are as it says; None for any other, which has to be redone."""
    try:
        manifest = PartitionManifest.model_validate_json((folder / PARTITION).read_bytes())
        intact = manifest.inputs == folder.name and manifest.files == file_entries(folder)
    except (OSError, ValidationError, IndexCorrupt):
        return None
    return manifest if intact else None
