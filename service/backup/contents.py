"""backup.json, the first member of an archive: what the archive holds, with size and sha256 of each other member.

backup.json                       this document
backup.json.sha256                its digest, as `sha256sum` writes it
keys.json                         API keys, as the service keeps them: their SHA-256 alone
galleries/NAME/quotas.json        limits of its own on what the gallery's online store keeps
galleries/NAME/online.sqlite      adapters, examples, uploaded photos, feedback, jobs, as of one moment
galleries/NAME/versions/…         versions of the index, and
galleries/NAME/segments/…         the segments that they name
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from index_builder.artifact import is_place
from models.schema_versions import is_readable, unreadable
from service.backup.errors import ArchiveCorrupt, ArchiveSchemaUnsupported, ArchiveUnreadable, ArchiveUnsafe
from service.gallery_folders import NAME_PATTERN

CONTENTS: Final = "backup.json"
DIGEST: Final = "backup.json.sha256"
KEYS: Final = "keys.json"
QUOTAS: Final = "quotas.json"
ONLINE: Final = "online.sqlite"

SCHEMA_VERSION: Final = 1
READABLE_VERSIONS: Final = (1,)

Part = Literal["index", "online", "keys", "limits"]
"""`online`: adapters, examples, uploaded photos, feedback, jobs; `limits`: a gallery's quotas."""

_OF_GALLERY = re.compile(rf"galleries/({NAME_PATTERN})/(.+)", re.ASCII)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Member(_Frozen):
    """Size and hash of one member."""

    bytes: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class IndexPart(_Frozen):
    """The versions of a gallery's index, oldest first, and which of them is published."""

    bundle_id: str
    published: str
    versions: tuple[str, ...] = Field(min_length=1)
    photos: int = Field(ge=1)


class GalleryPart(_Frozen):
    """What the archive has of one gallery. `online_schema`: schema version of its online store; None: it has none."""

    index: IndexPart | None = None
    online_schema: int | None = None
    quotas: bool = False


class BackupContents(_Frozen):
    """The whole document. `limits`: the service's settings that bound what it keeps and takes, for whoever restores it
    to compare; `keys`: how many API keys, None where they were left out.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    created_at: str
    inkseek_version: str
    galleries: dict[str, GalleryPart]
    keys: int | None = None
    limits: dict[str, str | int | None] = {}
    members: dict[str, Member]

    @field_validator("members")
    @classmethod
    def _plain_places(cls, members: dict[str, Member]) -> dict[str, Member]:
        for path in members:
            check_member(path)
        return members

    @property
    def total_bytes(self) -> int:
        """Of all members together."""
        return sum(member.bytes for member in self.members.values())

    def to_bytes(self) -> bytes:
        """The content of backup.json: indented UTF-8 JSON that `parse_contents` reads."""
        return (json.dumps(self.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n").encode()


def check_member(path: str) -> tuple[str, str]:
    """The gallery that a member is of ("" for none), and its path there. Raises ArchiveUnsafe for any other name."""
    if path == KEYS:
        return "", path
    match = _OF_GALLERY.fullmatch(path)
    if match and (match[2] in (QUOTAS, ONLINE) or is_place(match[2])):
        return match[1], match[2]
    raise ArchiveUnsafe(f"the archive has a member {path[:200]!r}, which is no file of a backup: nothing of it is used")


def parse_contents(data: bytes) -> BackupContents:
    """Read backup.json, its schema version before anything else.

    Raises ArchiveUnreadable, ArchiveSchemaUnsupported, ArchiveUnsafe, ArchiveCorrupt.
    """
    try:
        document: Any = json.loads(data)
        version = document["schema_version"]
    except (ValueError, KeyError, TypeError) as error:
        raise ArchiveUnreadable(f"{CONTENTS} is no description of a backup") from error
    if not is_readable(version, READABLE_VERSIONS):
        raise ArchiveSchemaUnsupported(unreadable("the archive", version, READABLE_VERSIONS))
    try:
        return BackupContents.model_validate_json(data)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, fault["loc"]))
        raise ArchiveCorrupt(f"{CONTENTS}: {where}: {fault['msg']}") from error
