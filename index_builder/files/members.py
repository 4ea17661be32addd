"""Paths of photos within tars: which bytes of which tar they are, so that one is read without a list of all."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MEMBER = re.compile(r"^(?P<tar>.+\.tar)#(?P<offset>\d{1,18})\+(?P<bytes>\d{1,18})$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TarMember:
    """The bytes [offset, offset + bytes) of a tar, whose path is relative to the gallery's root."""

    tar: str
    offset: int
    bytes: int

    @property
    def path(self) -> str:
        """As the path of a photo: `TAR#OFFSET+BYTES`."""
        return f"{self.tar}#{self.offset}+{self.bytes}"

    @classmethod
    def parse(cls, path: str) -> TarMember | None:
        """The member that a photo's path names; None where it is the path of a whole file."""
        found = _MEMBER.match(path)
        return cls(found["tar"], int(found["offset"]), int(found["bytes"])) if found else None
