"""segment.json: what one segment holds, and the hash of each of its files.

A segment's name is the first 16 hexadecimal digits of the sha256 of its segment.json: a version's manifest names
segments, so that the name of a version authenticates every byte that it is made of.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from index_builder.artifact.errors import IndexCorrupt, IndexSchemaUnsupported
from index_builder.artifact.manifest import FileEntry, MetadataField, plain_file_names
from models.schema_versions import is_readable

SEGMENT: Final = "segment.json"
SEGMENT_SCHEMA_VERSION: Final = 1


class SegmentManifest(BaseModel):
    """What the vectors of a segment are, and its files. `factory`: of its FAISS index; None where it has none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = SEGMENT_SCHEMA_VERSION
    bundle_id: str
    embedding_dim: int = Field(ge=1)
    count: int = Field(ge=1)
    metadata_fields: tuple[MetadataField, ...] = ()
    factory: str | None = None
    files: dict[str, FileEntry]

    _plain_names = field_validator("files")(plain_file_names)

    @property
    def total_bytes(self) -> int:
        """Size of all files."""
        return sum(entry.bytes for entry in self.files.values())

    def to_bytes(self) -> bytes:
        """The content of segment.json; equal segments are equal bytes, and have one name."""
        document = self.model_dump(mode="json")
        return (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def segment_name(data: bytes) -> str:
    """The name of the segment whose segment.json has that content."""
    return hashlib.sha256(data).hexdigest()[:16]


def read_segment(folder: Path) -> SegmentManifest:
    """The segment.json of a segment's folder, validated against the folder's name.

    Raises IndexCorrupt, IndexSchemaUnsupported.
    """
    try:
        data = (folder / SEGMENT).read_bytes()
    except OSError as error:
        raise IndexCorrupt(
            f"{SEGMENT} of segment {folder.name}", expected="a readable JSON object", actual=str(error)
        ) from error
    return parse_segment(data, folder.name)


def parse_segment(data: bytes, name: str) -> SegmentManifest:
    """The content of the segment.json of the segment of that name. Raises IndexCorrupt, IndexSchemaUnsupported."""
    what = f"{SEGMENT} of segment {name}"
    try:
        document = json.loads(data)
    except ValueError as error:
        raise IndexCorrupt(what, expected="a readable JSON object", actual=str(error)) from error
    version = document.get("schema_version") if isinstance(document, dict) else None
    if not is_readable(version, (SEGMENT_SCHEMA_VERSION,)):
        raise IndexSchemaUnsupported(what, actual=version, readable=(SEGMENT_SCHEMA_VERSION,))
    if segment_name(data) != name:
        raise IndexCorrupt(f"sha256 of {what}", expected=name, actual=segment_name(data))
    try:
        return SegmentManifest.model_validate_json(data)
    except ValidationError as error:
        raise IndexCorrupt(what, expected="a valid manifest", actual=str(error.errors()[0]["msg"])) from error
