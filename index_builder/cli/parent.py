"""A command that ends with the program that started it, however that ends."""

from __future__ import annotations

import os
import threading

_STANDARD_INPUT = 0
_ENDED = 1


def end_with_input() -> None:
    """End this process at once when its standard input is closed, as the system does where a parent was killed.

    For a program that keeps the other end of the pipe open as long as it lives. A build that ends at any moment leaves
    the published version as it is, so nothing is tidied up here.
    """
    threading.Thread(target=_wait_for_end, name="parent", daemon=True).start()


def _wait_for_end() -> None:
    # Not `sys.stdin`, whose lock a thread that waits would hold while the interpreter shuts down.
    while os.read(_STANDARD_INPUT, 1):
        pass
    os._exit(_ENDED)
