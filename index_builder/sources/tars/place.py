"""Photos within tars as a place: a path names the bytes, and a tar has to stay as it was listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from index_builder.errors import GalleryInvalid
from index_builder.files.members import TarMember
from index_builder.files.ranges import range_file
from index_builder.files.stamp import FileStamp
from index_builder.sources.places.base import PhotoPlace


@dataclass(frozen=True)
class TarPlace:
    """A `PhotoPlace` over the members of tars that lie in another place. `stamps`: of each tar, as it was listed."""

    tars: PhotoPlace
    stamps: Mapping[str, FileStamp]

    @property
    def root(self) -> str:
        """Where the tars lie."""
        return self.tars.root

    @property
    def follows_links(self) -> bool:
        """As of the place of the tars."""
        return self.tars.follows_links

    def finder(self) -> TarPlace:
        """Itself."""
        return self

    def found(self, relative: str) -> str:
        """As it is: paths of members were made, not written by people."""
        return relative

    def matching(self, pattern: str) -> list[str]:
        """As of the place of the tars."""
        return self.tars.matching(pattern)

    def fault_of(self, path: str, photo_id: str) -> None:
        """Never: the tar was gone through."""

    def open(self, path: str, listed: FileStamp | None = None) -> BinaryIO:
        """The member as a seekable stream. Raises FileNotFoundError; reading it raises GalleryInvalid where the tar is
        another one than was listed: its other members would be read at the wrong places, too.
        """
        member = TarMember.parse(path)
        if member is None or member.tar not in self.stamps:
            raise FileNotFoundError(f"{path} is no member of a tar")
        stamp = self.stamps[member.tar]

        def fetch(start: int, end: int) -> bytes:
            with self.tars.open(member.tar, stamp) as tar:
                tar.seek(member.offset + start)
                data = tar.read(end - start)
            if self.tars.stamp(member.tar) != stamp:
                raise GalleryInvalid(f"{self.root}/{member.tar} changed while its photos were read")
            return data

        return range_file(member.bytes, fetch)

    def stamp(self, path: str) -> FileStamp | None:
        """A stamp that is as it was while the tar is; None where the path is no member."""
        member = TarMember.parse(path)
        if member is None or member.tar not in self.stamps:
            return None
        return FileStamp.of_tag(member.bytes, f"{self.stamps[member.tar]}#{member.offset}")
