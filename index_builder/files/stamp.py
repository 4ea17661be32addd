"""What tells one content of a file from another without reading it."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

_TAG_BYTES = 7  # 56 bits stay below the nanoseconds of any date after 1972, so a tag never looks like a young file


class FileStamp(NamedTuple):
    """Size and time of the last change of a photo's file: where both are as they were, its content is, too.

    Of an object that has an entity tag, `modified_ns` is a number made of the tag: it changes with the content.
    """

    bytes: int
    modified_ns: int

    @classmethod
    def of_tag(cls, size: int, tag: str) -> FileStamp:
        """The stamp of an object of that size in bytes with that entity tag."""
        return cls(size, int.from_bytes(hashlib.sha256(tag.encode()).digest()[:_TAG_BYTES], "big"))
