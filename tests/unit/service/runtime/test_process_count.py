"""How many processes serve where nobody says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.bundle import cpu_quota, memory_limit
from service.config import Settings
from service.runtime.process_count import process_count

INDEX = Path("x")


def test_what_is_said_is_done() -> None:
    assert process_count(Settings(index=INDEX, workers=5, threads=2), counts_requests=True) == 5


def test_one_for_each_cpu_as_far_as_there_is_room() -> None:
    room = memory_limit()
    expected = min(cpu_quota(), 8, 8 if room is None else max(1, room // 2**28))
    assert process_count(Settings(index=INDEX, device="cpu"), counts_requests=False) == expected


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_are_of_one_process(threads: int) -> None:
    assert process_count(Settings(index=INDEX, device="cpu", threads=threads), counts_requests=False) == 1


def test_who_counts_requests_in_memory_is_alone() -> None:
    assert process_count(Settings(index=INDEX, device="cpu"), counts_requests=True) == 1


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("memory.max", "536870912\n", 2**29),
        ("memory.max", "max\n", None),
        ("memory/memory.limit_in_bytes", "1073741824\n", 2**30),
        ("memory/memory.limit_in_bytes", "9223372036854771712\n", None),
        ("other", "1", None),
    ],
)
def test_the_memory_of_a_container(tmp_path: Path, name: str, content: str, expected: int | None) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(content)
    assert memory_limit(tmp_path) == expected
