"""The C heap of this process: large blocks go back to the system when they are freed."""

from __future__ import annotations

import ctypes
from contextlib import suppress

# glibc's own numbers (malloc.h).
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
# Blocks from here on are mapped by themselves. Unset, glibc raises this bound to 32 MiB with the first large block that
# is freed, and keeps twice as much in each of its arenas from then on.
_MAPPED_BYTES = 2**20
_KEPT_BYTES = 4 * 2**20


def give_large_blocks_back() -> None:
    """Fix glibc's thresholds for this process; on another C library nothing happens."""
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, _MAPPED_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
