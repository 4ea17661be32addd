"""An original that is open: what is read of it stays that file's, whatever takes its name meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

_WINDOW_BYTES = 2**18


class OpenedOriginal:
    """A regular file, open for reading, and its size when it was opened; closed with `close` or at the latest with it.

    Bytes are read where they are asked for, and what a file that shrinks has lost is missing: a memory map of it would
    end the process.
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError where the file cannot be opened, or its first byte cannot be read."""
        self._file = path.open("rb", buffering=0)
        try:
            self.stat = os.fstat(self._file.fileno())
            os.pread(self._file.fileno(), 1, 0)
        except OSError:
            self._file.close()
            raise
        self._window, self._window_at = b"", 0

    @property
    def path(self) -> str:
        """Names the open file itself, for what wants to open it once more."""
        return f"/proc/self/fd/{self._file.fileno()}"

    def close(self) -> None:
        """Nothing can be read from now on."""
        self._file.close()

    def __len__(self) -> int:
        """Bytes, as it was opened."""
        return self.stat.st_size

    def __getitem__(self, part: slice) -> bytes:
        """Those bytes; fewer where the file has lost its end since."""
        start, end, _ = part.indices(len(self))
        if start >= end:
            return b""
        if not self._window_at <= start < end <= self._window_at + len(self._window):
            self._window = self._read(start, max(end - start, _WINDOW_BYTES))
            self._window_at = start
        return self._window[start - self._window_at : end - self._window_at]

    def find(self, needle: bytes, start: int = 0, end: int | None = None) -> int:
        """Where `needle` begins within [start, end), -1 where nowhere; as that of bytes."""
        stop = len(self) if end is None else min(end, len(self))
        while start + len(needle) <= stop:
            piece = self[start : min(stop, start + _WINDOW_BYTES)]
            found = piece.find(needle)
            if found >= 0:
                return start + found
            if len(piece) < len(needle):
                return -1  # the file has shrunk
            start += len(piece) - len(needle) + 1
        return -1

    def _read(self, start: int, size: int) -> bytes:
        pieces = []
        while size > 0 and (piece := os.pread(self._file.fileno(), size, start)):
            pieces.append(piece)
            start, size = start + len(piece), size - len(piece)
        return b"".join(pieces)
