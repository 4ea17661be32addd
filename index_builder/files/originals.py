"""A photo's own bytes where it is no file of its own: an object of a store, or a member of a tar."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from index_builder.errors import SourceUnavailable
from index_builder.files.members import TarMember
from index_builder.files.store import ObjectStore, is_url


@dataclass(frozen=True)
class StoredOriginal:
    """The bytes that the path of an indexed photo names below its gallery's root, a folder or a URL."""

    root: str
    path: str
    member: TarMember | None

    @classmethod
    def of(cls, root: str, path: str, *, in_tars: bool) -> StoredOriginal | None:
        """None where the photo is a file of this machine. `in_tars`: the gallery was read from tars."""
        member = TarMember.parse(path) if in_tars else None
        return cls(root, path, member) if member is not None or is_url(root) else None

    def read(self, max_bytes: int) -> bytes:
        """All of it. Raises FileNotFoundError where it is gone, OSError where it is larger or cannot be read."""
        try:
            size = self.size()
            if size > max_bytes:
                raise OSError(f"{size:,} bytes; at most {max_bytes:,} are answered")
            start = self.member.offset if self.member is not None else 0
            data = self._range(start, start + size)
        except SourceUnavailable as error:
            raise OSError(str(error)) from error
        if len(data) != size:
            raise OSError("it changed while it was read")
        return data

    def size(self) -> int:
        """Its bytes, by a look at whether it is there. Raises FileNotFoundError, SourceUnavailable, OSError."""
        if is_url(self.root):
            stamp = ObjectStore.at(self.root).stamp(self.file)
            if stamp is None:
                raise FileNotFoundError(f"{self.root}/{self.file} is gone")
            whole = stamp.bytes
        else:
            whole = (Path(self.root) / self.file).stat().st_size
        return whole if self.member is None else self.member.bytes

    def signed_url(self, expires_s: int) -> str | None:
        """A URL that reads the photo for that long; None where it is not an object of its own.

        Raises OSError.
        """
        if self.member is not None or not is_url(self.root):
            return None
        try:
            return ObjectStore.at(self.root).signed_url(self.path, expires_s)
        except SourceUnavailable as error:
            raise OSError(str(error)) from error

    @property
    def file(self) -> str:
        """The path of the object or tar that holds it."""
        return self.path if self.member is None else self.member.tar

    def _range(self, start: int, end: int) -> bytes:
        if is_url(self.root):
            return ObjectStore.at(self.root).read(self.file, start, end)
        with (Path(self.root) / self.file).open("rb") as file:
            file.seek(start)
            return file.read(end - start)
