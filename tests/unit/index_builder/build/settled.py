"""Files whose times tell an update that they are what they were."""

from __future__ import annotations

import os
from pathlib import Path


def settle(gallery: Path) -> None:
    """Give files times of change that prove something, each one its own."""
    for number, path in enumerate(sorted(gallery.rglob("*.jpg"))):
        os.utime(path, ns=(0, (1_700_000_000 + number) * 10**9))
