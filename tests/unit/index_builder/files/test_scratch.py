"""Arrays in files: what is written is read again, also by numpy itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from index_builder.artifact import layout
from index_builder.files.scratch import scratch_array
from index_builder.segments.stamps import SETTLED_NS, read_stamps, write_settled


@pytest.mark.parametrize("shape", [(3,), (70_000, 2), (0,), (0, 2)])
def test_it_is_filled_and_written_to_its_file(tmp_path: Path, shape: tuple[int, ...]) -> None:
    array = scratch_array(tmp_path / "a.npy", shape, fill=-1)
    assert array.shape == shape and array.dtype == np.int64
    assert (array == -1).all()
    if array.size:
        array[-1] = 7
        del array
        again = np.load(tmp_path / "a.npy")
        assert (again[-1] == 7).all() and (again[:-1] == -1).all()


def test_stamps_of_live_photos_are_written_without_young_ones(tmp_path: Path) -> None:
    count, now_ns = 150_000, 10 * SETTLED_NS
    rng = np.random.default_rng(0)
    stamps = np.column_stack([rng.integers(1, 99, count), rng.integers(0, now_ns, count)])
    live = rng.random(count) < 0.7
    expected = stamps[live]
    expected[expected[:, 1] > now_ns - SETTLED_NS] = -1
    assert (expected == -1).any()
    assert write_settled(tmp_path, stamps, live, now_ns) == layout.STAMPS
    np.testing.assert_array_equal(read_stamps(tmp_path, len(expected)), expected)
