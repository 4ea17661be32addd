"""Memory in large pages: what it holds stays as it is, and where Linux cannot, nothing happens."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from service.runtime.heap import gather_in_large_pages

_PAGE = 2 * 2**20


def test_what_is_in_memory_stays_as_it_is(tmp_path: Path) -> None:
    numbers = np.random.default_rng(3).integers(0, 2**62, 2 * _PAGE)  # 32 MiB
    before = numbers.copy()
    lines = [line for line in Path("/proc/self/maps").read_text().splitlines() if _holds(line, numbers.ctypes.data)]
    (maps := tmp_path / "maps").write_text("\n".join(lines))
    assert len(lines) == 1
    assert 0 <= gather_in_large_pages(maps) <= 3 * numbers.nbytes // _PAGE
    np.testing.assert_array_equal(numbers, before)
    numbers += 1
    np.testing.assert_array_equal(numbers, before + 1)


def test_memory_of_files_and_code_is_left_alone(tmp_path: Path) -> None:
    (size := tmp_path / "size").write_text(f"{_PAGE}\n")
    (maps := tmp_path / "maps").write_text(
        "7f0000000000-7f0000800000 r--p 00000000 08:01 123  /lib/libc.so.6\n"
        "7f0000800000-7f0001000000 rw-s 00000000 00:01 124  /dev/shm/x\n"
        "7f0001000000-7f0001800000 r-xp 00000000 00:00 0 \n"
        "7ffc00000000-7ffc00800000 rw-p 00000000 00:00 0  [stack]\n"
        "what is no line of such a file\n"
    )
    assert gather_in_large_pages(maps, size) == 0


def test_without_large_pages_nothing_happens(tmp_path: Path) -> None:
    assert gather_in_large_pages(page_size=tmp_path / "absent") == 0
    assert gather_in_large_pages(maps=tmp_path / "absent") == 0
    (odd := tmp_path / "odd").write_text("none")
    assert gather_in_large_pages(page_size=odd) == 0


def _holds(line: str, address: int) -> bool:
    start, end = (int(side, 16) for side in line.split(" ")[0].split("-"))
    return start <= address < end
