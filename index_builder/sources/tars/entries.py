"""The files within a tar, by its headers alone; a tar that was cut short is told from one that ends."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple, cast

from index_builder.errors import GalleryInvalid

_LARGEST_READ = 2**20  # of headers; one that says it is longer would be held in memory


class TarEntry(NamedTuple):
    """A regular file within a tar: its bytes are [offset, offset + bytes)."""

    name: str
    offset: int
    bytes: int


class _Headers:
    """A tar as tarfile reads it, which trusts what headers say of their own length."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _LARGEST_READ:
            raise tarfile.ReadError(f"a header of {size:,} bytes")
        return self._file.read(size)


def tar_entries(file: BinaryIO, name: str) -> Iterator[TarEntry]:
    """Each regular file of a tar, in order. `name`: what messages call the tar.

    Raises GalleryInvalid where it is no tar, is damaged, or lacks its end; OSError.
    """
    try:
        with tarfile.open(fileobj=cast(BinaryIO, _Headers(file)), mode="r:") as tar:
            while (entry := tar.next()) is not None:
                cast(Any, tar).members.clear()  # it would keep all of them
                if entry.isreg() and not entry.issparse():
                    yield TarEntry(entry.name, entry.offset_data, entry.size)
            end = tar.offset
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise GalleryInvalid(f"{name} cannot be read as a tar: {error}") from error
    # tarfile ends at whatever is no header; a tar ends with blocks of zeros.
    file.seek(end)
    if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise GalleryInvalid(f"{name} is cut short or damaged at byte {end:,}")
