"""When each key was last used: the time of change of an empty file per key, which all processes share."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

FOLDER = "keys_used"

_NOTE_EVERY_S = 60.0  # a file system call per key and minute, whatever the traffic


class KeyUses:
    """Notes uses to the minute. Not thread-safe: `note` is called on the event loop alone."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """`folder`: below the online folder, which has to exist; it is made with the first use. `clock`: seconds."""
        self._folder = folder
        self._clock = clock
        self._noted: dict[str, float] = {}

    def note(self, key_id: str) -> None:
        """Keep that the key was used now; where nothing can be written, nobody learns of it."""
        now = self._clock()
        if now - self._noted.get(key_id, float("-inf")) < _NOTE_EVERY_S:
            return
        self._noted[key_id] = now
        try:
            self._folder.mkdir(exist_ok=True)
            (self._folder / key_id).touch()
        except OSError:
            return  # a read-only disk keeps no uses, and answers requests all the same

    def last_used_at(self, key_id: str) -> datetime | None:
        """When the key was last used, to the minute; None for never, or where that could not be kept."""
        try:
            return datetime.fromtimestamp(int((self._folder / key_id).stat().st_mtime), UTC)
        except OSError:
            return None
