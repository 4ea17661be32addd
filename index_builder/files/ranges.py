"""A file that is read by ranges of bytes from wherever it lies."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import Any, BinaryIO, TypeAlias, cast

Fetch: TypeAlias = Callable[[int, int], bytes]
"""The bytes [start, end) of a file; fewer where it ends before. Raises OSError."""


class _RangeFile(io.RawIOBase):
    def __init__(self, size: int, fetch: Fetch) -> None:
        self._size = size
        self._fetch = fetch
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        # One request for all that is wanted: io's own way would ask for it in pieces.
        end = self._size if size is None or size < 0 else min(self._at + size, self._size)
        if end <= self._at:
            return b""
        data = self._fetch(self._at, end)
        self._at += len(data)
        return data

    def readinto(self, buffer: Any, /) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def range_file(size: int, fetch: Fetch) -> BinaryIO:
    """A seekable file of `size` bytes; each read is one call of `fetch`, and none beyond the size."""
    return cast(BinaryIO, _RangeFile(size, fetch))
