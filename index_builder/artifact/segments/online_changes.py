"""Changes that a service hands over to a builder: photos with their vectors, and ids of deleted ones.

A folder with changes.json, vectors.npy and photos.sqlite, written aside and renamed. The builder makes a segment of it,
and the version that names that segment says up to which change of which store it holds all: `manifest.OnlineMark`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from index_builder.artifact.errors import IndexCorrupt, IndexSchemaUnsupported
from index_builder.artifact.layout import PHOTOS, VECTORS
from index_builder.artifact.manifest import MetadataField, OnlineMark
from index_builder.artifact.photos.record import PhotoRecord, Thumbnail
from index_builder.artifact.photos.writer import PhotoStoreWriter
from index_builder.stores.vectors_file import VectorWriter
from models.arrays import Vectors
from models.atomic_files import sync_path
from models.schema_versions import is_readable

CHANGES: Final = "changes.json"
READABLE_VERSIONS: Final = (1,)


class OnlineChanges(BaseModel):
    """The changes after `since` and up to `mark.change`. `count`: photos; `deleted`: ids that are not to be found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    mark: OnlineMark
    since: int = Field(ge=0)
    bundle_id: str
    embedding_dim: int = Field(ge=1)
    metadata_fields: tuple[MetadataField, ...]
    count: int = Field(ge=0)
    deleted: tuple[str, ...] = ()


def write_changes(
    folder: Path, changes: OnlineChanges, photos: Iterable[tuple[PhotoRecord, Thumbnail, Vectors]]
) -> None:
    """Write the folder, which must not exist; `photos`: by their ids, rows counted from 0. Raises OSError."""
    staging = folder.with_name(f".building-{folder.name}")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    with (
        VectorWriter(staging / VECTORS, changes.embedding_dim) as vectors,
        PhotoStoreWriter(staging / PHOTOS, changes.metadata_fields) as writer,
    ):
        for record, thumbnail, vector in photos:
            writer.append(record, thumbnail)
            vectors.append(vector[None])
    (staging / CHANGES).write_text(changes.model_dump_json(indent=2) + "\n", encoding="utf-8")
    sync_path(staging / CHANGES)
    sync_path(staging)
    staging.rename(folder)
    sync_path(folder.parent)


def read_changes(folder: Path) -> OnlineChanges:
    """What changes.json says. Raises IndexCorrupt, IndexSchemaUnsupported."""
    try:
        data = (folder / CHANGES).read_bytes()
        document = json.loads(data)
        version = document.get("schema_version") if isinstance(document, dict) else None
        if not is_readable(version, READABLE_VERSIONS):
            raise IndexSchemaUnsupported(str(folder / CHANGES), actual=version, readable=READABLE_VERSIONS)
        return OnlineChanges.model_validate_json(data)
    except (OSError, ValueError) as error:
        raise IndexCorrupt(f"{folder / CHANGES}", expected="changes of a service", actual=str(error)) from error
