"""Work that stands back: it gets the CPU time that searches leave."""

from __future__ import annotations

import os
import sys
import threading

_NICER = 10  # of the system's steps: beside one that is not, a thread gets a tenth of a CPU
_NICEST = 19


def let_process_stand_back(pid: int) -> None:
    """For a child process that was just started: its threads inherit this. One that has ended already is fine."""
    try:
        _lower(pid)
    except ProcessLookupError:
        return


def stand_back() -> None:
    """For the calling thread, where a thread has a priority of its own (Linux)."""
    # Elsewhere a priority is the whole process's, and this would be that of the searches, too.
    if sys.platform == "linux":
        _lower(threading.get_native_id())


def _lower(number: int) -> None:
    os.setpriority(os.PRIO_PROCESS, number, min(_NICEST, os.getpriority(os.PRIO_PROCESS, number) + _NICER))
