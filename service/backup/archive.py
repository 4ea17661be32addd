"""The archive as a stream: a tar whose first member lists the others, in their order, with the hash of each.

Nothing is kept in memory but small members that the reader asks for, and no member is looked for: both ways are one
pass.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from models.atomic_files import replace_file
from service.backup.contents import CONTENTS, DIGEST, BackupContents, Member, check_member, parse_contents
from service.backup.errors import ArchiveCorrupt, ArchiveCutShort, ArchiveUnreadable, ArchiveUnsafe, BackupUnwritable
from service.backup.sinks import Sink

_BLOCK_BYTES = 1 << 20
_MOST_CONTENTS_BYTES = 64 * 2**20  # some 100,000 segments
_PRIVATE = 0o600  # hashes of keys, photos of users


@dataclass(frozen=True)
class Outgoing:
    """A file on its way into an archive: the member that it becomes, and where its bytes are."""

    path: str
    member: Member
    source: Path | bytes


def write_archive(path: Path, contents: BackupContents, members: Iterable[Outgoing]) -> None:
    """Write the archive beside `path`, then rename it: a reader sees all of it or nothing.

    Raises BackupUnwritable; ArchiveCorrupt where a file is not as `contents` says, which is read as it is written.
    """

    def fill(file: BinaryIO) -> None:
        os.fchmod(file.fileno(), _PRIVATE)
        # Streamed: tar's own index of members would grow with their number.
        with tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT) as tar:
            data = contents.to_bytes()
            digest = f"{hashlib.sha256(data).hexdigest()}  {CONTENTS}\n".encode()
            for name, small in ((CONTENTS, data), (DIGEST, digest)):
                tar.addfile(_header(name, len(small)), io.BytesIO(small))
            for member in members:
                _add(tar, member)

    try:
        replace_file(path, fill)
    except OSError as error:
        raise BackupUnwritable(f"{path} cannot be written: {error.strerror or error}") from error


class ArchiveReader:
    """The members of one archive, in their order, each compared with what the archive's first member says of it."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        """Reads what the archive holds. Raises as `open_archive`."""
        self._tar = tar
        data = self._small(CONTENTS)
        digest = self._small(DIGEST).split()
        # Before the digest: a later release may write another one.
        self.contents: BackupContents = parse_contents(data)
        if digest != [hashlib.sha256(data).hexdigest().encode(), CONTENTS.encode()]:
            raise ArchiveCorrupt(f"sha256 of {CONTENTS} is not what {DIGEST} says")

    def each(self, sink_of: Callable[[str], Sink | None]) -> None:
        """Read to the end. `sink_of`: where a member's bytes go, by its path; None: they are only compared.

        Raises ArchiveCutShort, ArchiveCorrupt, ArchiveUnsafe, and the OSErrors of sinks, which are closed.
        """
        expected = iter(self.contents.members.items())
        for path, member in expected:
            found = self._next()
            if found is None:
                raise ArchiveCutShort(f"the archive ends before {path}, which it lists: it was cut short")
            if found.name != path:
                check_member(found.name)
                raise ArchiveCorrupt(f"the archive has {found.name[:200]!r} where it lists {path}")
            if found.size != member.bytes:
                raise ArchiveCorrupt(f"{path}: expected {member.bytes} bytes, got {found.size}")
            sink = sink_of(path)
            try:
                self._compare(found, member, sink)
            finally:
                if sink is not None:
                    sink.close()
        if (found := self._next()) is not None:
            check_member(found.name)
            raise ArchiveCorrupt(f"the archive has {found.name[:200]!r}, which it does not list")

    def _compare(self, found: tarfile.TarInfo, member: Member, sink: Sink | None) -> None:
        digest, size = hashlib.sha256(), 0
        for block in self._blocks(found):
            digest.update(block)
            size += len(block)
            if sink is not None:
                sink.write(block)
        if size < found.size:
            raise ArchiveCutShort(f"the archive ends within {found.name}: it was cut short")
        if digest.hexdigest() != member.sha256:
            raise ArchiveCorrupt(f"sha256 of {found.name}: expected {member.sha256}, got {digest.hexdigest()}")

    def _blocks(self, found: tarfile.TarInfo) -> Iterator[bytes]:
        file = self._tar.extractfile(found)
        assert file is not None  # `_next` lets plain files pass alone
        try:
            while block := file.read(_BLOCK_BYTES):
                yield block
        except tarfile.TarError as error:  # "unexpected end of data"
            raise ArchiveCutShort(f"the archive ends within {found.name}: it was cut short") from error

    def _small(self, name: str) -> bytes:
        found = self._next()
        if found is None or found.name != name or found.size > _MOST_CONTENTS_BYTES:
            raise ArchiveUnreadable(f"it is no backup of Inkseek: {name} is not where it has to be")
        data = b"".join(self._blocks(found))
        if len(data) < found.size:
            raise ArchiveCutShort(f"the archive ends within {name}: it was cut short")
        return data

    def _next(self) -> tarfile.TarInfo | None:
        try:
            found = self._tar.next()
        except tarfile.TarError as error:
            if "unexpected end" in str(error):
                raise ArchiveCutShort("the archive ends before all is there that it lists: it was cut short") from error
            raise ArchiveCorrupt(f"the archive cannot be read to its end: {error}") from error
        # A sparse file may claim more bytes than any disk has.
        if found is not None and (not found.isreg() or found.issparse()):
            raise ArchiveUnsafe(f"the archive has a member {found.name[:200]!r} that is no plain file")
        return found


@contextmanager
def open_archive(path: Path) -> Iterator[ArchiveReader]:
    """An archive from its beginning.

    Raises ArchiveUnreadable, ArchiveCutShort, ArchiveCorrupt, ArchiveUnsafe, ArchiveSchemaUnsupported.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise ArchiveUnreadable(f"{path} cannot be read: {error.strerror or error}") from error
    with file:
        try:
            with tarfile.open(fileobj=cast(IO[bytes], file), mode="r|") as tar:
                yield ArchiveReader(tar)
        except tarfile.TarError as error:
            raise ArchiveUnreadable(f"{path} is no backup: {error}") from error


def member_of(data: bytes) -> Member:
    """Size and hash of a small member."""
    return Member(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def _header(name: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mode = size, _PRIVATE
    return header


class _Hashed(io.RawIOBase):
    """A file that hashes what is read of it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.digest = hashlib.sha256()
        self._file = file

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self.digest.update(block)
        return block


def _add(tar: tarfile.TarFile, outgoing: Outgoing) -> None:
    path, member = outgoing.path, outgoing.member
    source = outgoing.source
    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
        hashed = _Hashed(cast(IO[bytes], file))
        size = member.bytes if isinstance(source, bytes) else os.fstat(file.fileno()).st_size
        if size != member.bytes:
            raise ArchiveCorrupt(f"{path}: expected {member.bytes} bytes, got {size}")
        tar.addfile(_header(path, size), cast(IO[bytes], hashed))
    if hashed.digest.hexdigest() != member.sha256:
        raise ArchiveCorrupt(f"sha256 of {path}: expected {member.sha256}, got {hashed.digest.hexdigest()}")
