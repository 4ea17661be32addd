"""Where the bytes of a member go while an archive is read: to a file, into memory, or both."""

from __future__ import annotations

from typing import Protocol


class Sink(Protocol):
    """What takes the bytes of one member, in order."""

    def write(self, data: bytes, /) -> object:
        """Take the next bytes. Raises OSError."""

    def close(self) -> object:
        """There are no more, or reading has failed."""


class Kept:
    """Keeps the first bytes of a member in memory."""

    def __init__(self, most_bytes: int | None = None) -> None:
        """`most_bytes`: what follows them is let go; None: all are kept."""
        self.data = b""
        self._most_bytes = most_bytes

    def write(self, data: bytes, /) -> None:
        """Keep what there is room for."""
        room = len(data) if self._most_bytes is None else max(0, self._most_bytes - len(self.data))
        self.data += data[:room]

    def close(self) -> None:
        """What was kept stays."""


class Tee:
    """Passes all on to two others."""

    def __init__(self, first: Sink, second: Sink) -> None:
        """Both get every byte, and both are closed."""
        self._sinks = first, second

    def write(self, data: bytes, /) -> None:
        """Raises as either of them."""
        for sink in self._sinks:
            sink.write(data)

    def close(self) -> None:
        """Close both."""
        for sink in self._sinks:
            sink.close()
