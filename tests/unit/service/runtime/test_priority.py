"""Who stands back: a child process, one thread, and nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.runtime.priority import let_process_stand_back, stand_back


def niceness(number: int) -> int:
    return os.getpriority(os.PRIO_PROCESS, number)


def test_a_child_process_stands_back_and_one_that_has_ended_needs_not() -> None:
    own = niceness(0)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        let_process_stand_back(child.pid)
        assert niceness(child.pid) == min(19, own + 10)
    let_process_stand_back(child.pid)
    assert niceness(0) == own


@pytest.mark.skipif(sys.platform != "linux", reason="a priority per thread")
def test_a_thread_stands_back_alone() -> None:
    own = niceness(0)
    with ThreadPoolExecutor(1, initializer=stand_back) as pool:
        assert pool.submit(lambda: niceness(threading.get_native_id())).result() == min(19, own + 10)
    assert niceness(threading.get_native_id()) == own
