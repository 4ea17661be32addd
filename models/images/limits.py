"""What decoding may take: of one image, and of all that are decoded at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from models.images.errors import ImageTooLarge
from models.images.isolation import IsolatedDecoder


class MemoryBudget:
    """Bytes that images may take while they are decoded, all threads together; whoever finds too few left waits."""

    def __init__(self, total_bytes: int) -> None:
        """An image that needs more than `total_bytes` is never decoded."""
        self.total_bytes = total_bytes
        self._left = total_bytes
        self._changed = threading.Condition()

    @property
    def left(self) -> int:
        """Bytes that nobody holds at this moment."""
        return self._left

    @contextmanager
    def reserved(self, count: int) -> Iterator[None]:
        """Holds `count` bytes while the block runs. Raises ImageTooLarge where there will never be as many."""
        if count > self.total_bytes:
            raise ImageTooLarge(
                f"decoding the image takes about {count / 2**20:,.0f} MiB; at most"
                f" {self.total_bytes / 2**20:,.0f} MiB are spent on all at once"
            )
        with self._changed:
            self._changed.wait_for(lambda: self._left >= count)
            self._left -= count
        try:
            yield
        finally:
            with self._changed:
                self._left += count
                self._changed.notify_all()


@dataclass(frozen=True)
class ImageLimits:
    """Largest accepted image, and where it is decoded.

    `max_bytes` encoded; `max_pixels` = width x height as declared in the header; `max_working_bytes`: what decoding
    takes at its peak, by format and mode. `budget` is shared by all images that are decoded at once. With `isolated`,
    everything but small PNG and JPEG files is decoded in limited child processes; without, in the caller's.
    """

    max_bytes: int = 20 * 2**20
    max_pixels: int = 50_000_000
    max_working_bytes: int = 2**30
    budget: MemoryBudget | None = field(default=None, compare=False)
    isolated: IsolatedDecoder | None = field(default=None, compare=False)
