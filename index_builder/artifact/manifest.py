"""The manifest of one index version: what the vectors are, how they are searched, and the hash of every file.

A version's name is `<sequence>-<first 12 hex digits of the sha256 of manifest.json>`: the name authenticates the
manifest and the manifest the files, so that no byte can change unnoticed.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from index_builder.artifact.errors import IndexCorrupt, IndexSchemaUnsupported
from index_builder.stores.plan import SearchPlan
from models.bundle.alone import AloneShares
from models.schema_versions import is_readable

SCHEMA_VERSION: Final = 3
READABLE_VERSIONS: Final = (1, 2, 3)  # 1 knew no facing, 2 no segments

FieldType = Literal["number", "text", "boolean", "date", "list"]
"""`date`: ISO 8601 text, whose order is that of time; `list`: plain values of any type."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileEntry(_Frozen):
    """Size and hash of one file of the version."""

    bytes: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class MetadataField(_Frozen):
    """One filterable column of the gallery's manifest; its position in the list is its column in photos.sqlite."""

    name: str = Field(min_length=1)
    type: FieldType


class GallerySource(_Frozen):
    """Where the photos came from. `root` is a path of the machine that built the index, or a URL of a store.

    `follows_links`: photos may lie outside of `root`, behind links that were meant to be followed. `exclude`: the
    patterns that the caller left out, so that an update leaves out the same.
    """

    root: str
    manifest: str | None = None
    follows_links: bool = False
    exclude: tuple[str, ...] = ()

    @property
    def is_remote(self) -> bool:
        """Whether the photos lie in a store, where each look at one is a request."""
        return "://" in self.root

    @property
    def location(self) -> str:
        """What the builder was given: a folder, a manifest, or the URL of either."""
        return f"{self.root}/{self.manifest}" if self.manifest else self.root


class RecallReport(_Frozen):
    """Share of the exact top k that the index returns, averaged over `query_count` queries, and what these were.

    `drawings`: made from photos of the gallery, where no sketches were given.
    """

    recall: float = Field(ge=0.0, le=1.0)
    k: int = Field(ge=1)
    queries: Literal["sketches", "drawings", "photos"]
    query_count: int = Field(ge=0)
    source: str | None = None
    unusable_sketches: int = Field(default=0, ge=0)


class SearchCost(_Frozen):
    """What a search takes on one thread of the machine that built the version, without encoding the sketch.

    Milliseconds over `queries` queries; `bytes_per_photo` of vectors and search index on the disk; `memory_per_photo`:
    bytes of these that searches keep coming back to.
    """

    ms_p50: float = Field(ge=0.0)
    ms_p95: float = Field(ge=0.0)
    queries: int = Field(ge=1)
    bytes_per_photo: float = Field(ge=0.0)
    memory_per_photo: float = Field(ge=0.0)


class BuildSummary(_Frozen):
    """Time, rate and counts by reason of the build; report.jsonl lists the photos behind the counts.

    `embedded`, `reused`: photos whose vector was computed, and whose vector an earlier version or an interrupted build
    had. `stages_s`: seconds of each stage.
    """

    seconds: float = Field(ge=0.0)
    photos_per_s: float = Field(ge=0.0)
    skipped: dict[str, int] = {}
    noted: dict[str, int] = {}
    embedded: int | None = Field(default=None, ge=0)
    reused: int = Field(default=0, ge=0)
    stages_s: dict[str, float] = {}


class Facing(_Frozen):
    """Whether a category's photos face one way, and the measurement behind it: `index_builder.quality.facing`.

    `asymmetry`: how much less like the others a photo is mirrored; about 0 where photos face both ways, at most 1.
    """

    one_way: bool
    asymmetry: float


class SegmentEntry(_Frozen):
    """A segment that a version is made of: its rows, how many of them are live, how it is searched, and its bytes.

    The others are deleted: rows.npy, which names the live rows in the order of photo ids, leaves them out.
    """

    name: str = Field(pattern="^[0-9a-f]{16}$")
    count: int = Field(ge=1)
    live: int = Field(ge=1)
    search: SearchPlan
    bytes: int = Field(ge=0)

    @model_validator(mode="after")
    def _fits(self) -> SegmentEntry:
        if self.live > self.count:
            raise ValueError(f"{self.live} of {self.count} rows cannot be live")
        return self


class OnlineMark(_Frozen):
    """A version holds every change of the online store of that id up to `change`. `photos`: rows that were uploaded.

    Such rows have no path: the store keeps their files.
    """

    store_id: str = Field(min_length=1)
    change: int = Field(ge=0)
    photos: int = Field(default=0, ge=0)


def plain_file_names(files: dict[str, FileEntry]) -> dict[str, FileEntry]:
    """The files, if each lies in the folder of the manifest that lists it. Raises ValueError."""
    # A name with a slash would let a manifest make readers hash files outside of the version.
    if any(Path(name).name != name for name in files):
        raise ValueError("lists a path where a plain file name is expected")
    return files


class IndexManifest(_Frozen):
    """Everything that a reader needs to know before it opens a file of the version.

    `facing`: of each category that has enough photos to measure it; "" stands for the photos of no category. `alone`:
    how many photos show a thing alone, by category likewise; None where drawings are compared where they lie.
    `segments`: none where the version's own folder holds the one part that it has, as before schema version 3.
    `search`: of the largest segment, or of the collection. `count`: photos that can be found.
    `collection`: of a Milvus, in which each segment is a partition; None: the segments' own files are searched.
    `online`: what is sealed of an online store.
    """

    schema_version: Literal[1, 2, 3] = SCHEMA_VERSION
    created_at: str
    inkseek_version: str
    bundle_id: str
    embedding_dim: int = Field(ge=1)
    count: int = Field(ge=1)
    gallery: GallerySource
    metadata_fields: tuple[MetadataField, ...] = ()
    search: SearchPlan
    recall: RecallReport | None = None
    cost: SearchCost | None = None
    facing: dict[str, Facing] = {}
    alone: AloneShares | None = None
    build: BuildSummary
    segments: tuple[SegmentEntry, ...] = ()
    collection: str | None = Field(default=None, pattern="^[A-Za-z_][A-Za-z0-9_]*$")
    online: OnlineMark | None = None
    files: dict[str, FileEntry]

    _plain_names = field_validator("files")(plain_file_names)

    @model_validator(mode="after")
    def _adds_up(self) -> IndexManifest:
        if self.segments and sum(segment.live for segment in self.segments) != self.count:
            raise ValueError("counts other photos than its segments have")
        if len({segment.name for segment in self.segments}) != len(self.segments):
            raise ValueError("names a segment twice")
        if (self.collection is not None) != (self.search.kind == "milvus") or (self.collection and not self.segments):
            raise ValueError("a collection of segments is searched in Milvus, and nothing else is")
        return self

    @property
    def is_exact(self) -> bool:
        """Whether every search scores every photo."""
        return self.search.is_exact and all(segment.search.is_exact for segment in self.segments)

    @property
    def is_one_part(self) -> bool:
        """Whether rows are those of one part, none of them deleted: such a version has no rows.npy."""
        return not self.segments or (len(self.segments) == 1 and self.segments[0].live == self.segments[0].count)

    @property
    def total_bytes(self) -> int:
        """Size of all files, those of the segments included."""
        return sum(file.bytes for file in self.files.values()) + sum(segment.bytes for segment in self.segments)

    @property
    def one_way_categories(self) -> frozenset[str]:
        """Categories whose photos face one way; "" among them stands for the photos of no category."""
        return frozenset(category for category, facing in self.facing.items() if facing.one_way)

    def to_bytes(self) -> bytes:
        """The content of manifest.json: indented UTF-8 JSON that `parse_manifest` reads."""
        # Sorted keys: equal manifests are equal bytes, and get equal digests in their version names.
        document = self.model_dump(mode="json")
        for name in ("alone", "collection", "online"):
            if document[name] is None:
                del document[name]  # which releases before it would reject
        return (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def manifest_digest(data: bytes) -> str:
    """The part of a version's name that is computed from its manifest: 12 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()[:12]


def parse_manifest(data: bytes) -> IndexManifest:
    """Read manifest.json. The schema version is checked before anything else.

    Raises IndexSchemaUnsupported, IndexCorrupt.
    """
    document = _json_object(data)
    version = document.get("schema_version")
    if not is_readable(version, READABLE_VERSIONS):
        raise IndexSchemaUnsupported("manifest.json of the index", actual=version, readable=READABLE_VERSIONS)
    try:
        return IndexManifest.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        location = ".".join(str(part) for part in first["loc"])
        raise IndexCorrupt(
            "manifest.json", expected="a valid manifest", actual=f"{location}: {first['msg']}"
        ) from error


def _json_object(data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except ValueError as error:
        raise IndexCorrupt("manifest.json", expected="a JSON object", actual=f"broken JSON ({error})") from error
    if not isinstance(document, dict):
        raise IndexCorrupt("manifest.json", expected="a JSON object", actual=type(document).__name__)
    return document
