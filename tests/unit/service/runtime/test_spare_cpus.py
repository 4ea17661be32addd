"""When a search may use CPUs beside its own: while others leave them idle, as far as that is known."""

from __future__ import annotations

import os
import time

import pytest

from service.config import process
from service.config.process import ProcessSettings
from service.runtime.spare_cpus import CpuTimes, SpareCpus, cpu_times


class Machine:
    """Two CPUs; `step` lets time pass in which this process and others have worked."""

    def __init__(self) -> None:
        self.now = CpuTimes(100.0, 50.0, 5.0)
        self.looks = 0

    def times(self) -> CpuTimes | None:
        self.looks += 1
        return self.now

    def clock(self) -> float:
        return self.now.clock

    def step(self, seconds: float, own: float, others: float) -> None:
        now = self.now
        self.now = CpuTimes(now.clock + seconds, now.busy + own + others, now.own + own)


def spare(machine: Machine, wanted: int = 2, cpus: int = 2) -> SpareCpus:
    return SpareCpus(wanted, cpus, machine.times, machine.clock)


def test_nothing_is_known_at_first() -> None:
    machine = Machine()
    ask = spare(machine)
    assert not ask()
    machine.step(0.1, 0.0, 0.0)
    assert not ask()


@pytest.mark.parametrize(
    ("own", "others", "are_there"),
    [(0.0, 0.0, True), (2.0, 0.0, True), (1.0, 0.3, True), (0.0, 0.5, False), (1.0, 1.0, False)],
)
def test_only_what_others_compute_counts(own: float, others: float, are_there: bool) -> None:
    machine = Machine()
    ask = spare(machine)
    machine.step(1.0, own, others)
    assert ask() is are_there


def test_it_looks_again_after_a_while_and_not_before() -> None:
    machine = Machine()
    ask = spare(machine)
    machine.step(1.0, 0.0, 0.0)
    assert ask()
    machine.step(0.1, 0.0, 0.1)
    assert ask()
    assert machine.looks == 2
    machine.step(0.2, 0.0, 0.2)
    assert not ask()
    assert machine.looks == 3


@pytest.mark.parametrize(("wanted", "cpus"), [(1, 2), (4, 2)])
def test_one_that_cannot_use_them_never_looks(wanted: int, cpus: int) -> None:
    machine = Machine()
    ask = spare(machine, wanted, cpus)
    machine.step(1.0, 0.0, 0.0)
    assert not ask()
    assert machine.looks == 0


def test_this_process_is_a_part_of_what_the_system_counts() -> None:
    before = cpu_times()
    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass
    after = cpu_times()
    if before is None or after is None:
        pytest.skip("this system does not count")
    assert after.own - before.own >= 0.3
    assert after.busy - before.busy >= 0.2  # counted in hundredths


def test_only_a_whole_machine_has_further_threads_for_a_sketch_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ProcessSettings()
    monkeypatch.setattr(process, "cpu_quota", lambda: 2)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert settings.runtime.lone_threads == 2
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert settings.runtime.lone_threads == 1
    monkeypatch.setattr(process, "cpu_quota", lambda: 8)
    assert settings.runtime.lone_threads == 4


def test_counters_that_do_not_even_show_this_process_say_nothing() -> None:
    machine = Machine()
    ask = spare(machine)
    machine.now = CpuTimes(101.0, machine.now.busy, machine.now.own + 0.5)
    assert not ask()


def test_a_system_that_stops_telling_has_none() -> None:
    machine = Machine()
    told = [machine.now, None]
    ask = SpareCpus(2, 2, lambda: told.pop(0), machine.clock)
    machine.step(1.0, 0.0, 0.0)
    assert not ask()
    machine.step(1.0, 0.0, 0.0)
    assert not ask()
