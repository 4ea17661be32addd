"""Workers that die: replaced beside one that serves, and the end of all where none could start."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

from service.errors import WorkersFailed
from service.runtime.supervisor import Lifeline, Supervisor
from tests.contract.waiting import until

_SPAWN = multiprocessing.get_context("spawn")
_FAILED = 7


def work(folder: Path, number: int, connection: Connection) -> None:
    """Serves, unless it is the second one's first life: that ends before it has said that it lives."""
    lives = len(list(folder.glob(f"{number}-*")))
    (folder / f"{number}-{lives}").touch()
    if number == 1 and lives == 0:
        until((folder / "0-serves").exists)
        os.kill(os.getpid(), signal.SIGKILL)
    lifeline = Lifeline(connection)
    while lifeline.holds():
        (folder / f"{number}-serves").touch()
        time.sleep(0.05)


def serve_then_die(folder: Path, number: int, connection: Connection) -> None:
    """Serves; its first life ends together with the other's, after more than the second that a restart waits for."""
    lives = len(list(folder.glob(f"{number}-serves-*")))
    lifeline, began_s = Lifeline(connection), time.monotonic()
    while lifeline.holds():
        (folder / f"{number}-serves-{lives}").touch()
        if lives == 0 and len(list(folder.glob("?-serves-0"))) == 2 and time.monotonic() - began_s > 1.5:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.05)


def end(_: Path, __: int, ___: Connection) -> None:
    """Never serves."""
    sys.exit(1)


def supervise(target: object, folder: Path) -> None:
    """In a process of its own, since a supervisor takes the signals."""
    assert callable(target)
    try:
        Supervisor(2, target, (folder,), stop_s=5.0).run(lambda: None)
    except WorkersFailed:
        sys.exit(_FAILED)


@contextmanager
def supervised(target: object, folder: Path) -> Iterator[SpawnProcess]:
    """A supervisor of two workers, which lives until it is told to stop."""
    supervisor = _SPAWN.Process(target=supervise, args=(target, folder))
    supervisor.start()
    try:
        yield supervisor
        assert supervisor.is_alive()
        supervisor.terminate()
        supervisor.join(30)
        assert supervisor.exitcode == 0
    finally:
        supervisor.kill()


def test_one_that_is_killed_while_it_starts_is_replaced_beside_one_that_serves(tmp_path: Path) -> None:
    with supervised(work, tmp_path):
        until((tmp_path / "1-serves").exists)
        assert not (tmp_path / "0-1").exists()


def test_two_that_die_at_once_are_both_replaced(tmp_path: Path) -> None:
    with supervised(serve_then_die, tmp_path):
        until(lambda: len(list(tmp_path.glob("?-serves-1"))) == 2)


def test_where_none_can_start_there_is_nothing_to_wait_for(tmp_path: Path) -> None:
    supervisor = _SPAWN.Process(target=supervise, args=(end, tmp_path))
    supervisor.start()
    supervisor.join(60)
    assert supervisor.exitcode == _FAILED
