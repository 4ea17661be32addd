"""vectors.npy: a plain .npy file that grows row by row and is read as a map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index_builder.stores.errors import StoreUnreadable
from index_builder.stores.vectors_file import VectorWriter, open_vectors
from models.arrays import Vectors


def rows(count: int, dim: int = 5) -> Vectors:
    return np.random.default_rng(count).standard_normal((count, dim)).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(blocks=st.lists(st.integers(0, 7), max_size=6), dim=st.integers(1, 900))
def test_appended_blocks_are_one_array(tmp_path_factory: pytest.TempPathFactory, blocks: list[int], dim: int) -> None:
    path = tmp_path_factory.mktemp("vectors") / "vectors.npy"
    parts = [rows(count, dim) for count in blocks]
    with VectorWriter(path, dim) as writer:
        for part in parts:
            writer.append(part)
    expected = np.concatenate([np.empty((0, dim), np.float32), *parts])
    assert writer.count == len(expected)
    assert np.load(path).tobytes() == expected.tobytes()  # numpy's own reader agrees
    assert open_vectors(path, len(expected), dim).tobytes() == expected.tobytes()


def test_other_dtypes_and_layouts_are_stored_as_float32_rows(tmp_path: Path) -> None:
    values = np.asfortranarray(rows(4).astype(np.float64))
    with VectorWriter(tmp_path / "vectors.npy", 5) as writer:
        writer.append(values)  # type: ignore[arg-type]  # what a careless caller may do
    assert np.load(tmp_path / "vectors.npy").tolist() == values.astype(np.float32).tolist()


@pytest.mark.parametrize("shape", [(3, 4), (5,), (1, 1, 5)])
def test_rows_of_another_length_are_a_programming_error(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with VectorWriter(tmp_path / "vectors.npy", 5) as writer, pytest.raises(AssertionError):
        writer.append(np.zeros(shape, np.float32))


def test_the_map_cannot_be_written_into(tmp_path: Path) -> None:
    np.save(tmp_path / "vectors.npy", rows(3))
    with pytest.raises(ValueError, match="read-only"):
        open_vectors(tmp_path / "vectors.npy", 3, 5)[0] = 0


@pytest.mark.parametrize(("count", "dim"), [(2, 5), (4, 5), (3, 6), (5, 3)])
def test_another_shape_than_expected_is_unreadable(tmp_path: Path, count: int, dim: int) -> None:
    np.save(tmp_path / "vectors.npy", rows(3))
    with pytest.raises(StoreUnreadable) as caught:
        open_vectors(tmp_path / "vectors.npy", count, dim)
    assert (caught.value.what, caught.value.actual) == ("vectors.npy", "float32 (3, 5)")


def test_another_dtype_is_unreadable(tmp_path: Path) -> None:
    np.save(tmp_path / "vectors.npy", rows(3).astype(np.float64))
    with pytest.raises(StoreUnreadable, match="float64"):
        open_vectors(tmp_path / "vectors.npy", 3, 5)


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "vectors.npy", np.array([[object]], dtype=object), allow_pickle=True)
    with pytest.raises(StoreUnreadable):
        open_vectors(tmp_path / "vectors.npy", 1, 1)


@pytest.mark.parametrize("kept", [0, 1, 60, 128, 150, 187])
def test_a_file_cut_short_is_unreadable(tmp_path: Path, kept: int) -> None:
    with VectorWriter(tmp_path / "vectors.npy", 5) as writer:
        writer.append(rows(3))
    data = (tmp_path / "vectors.npy").read_bytes()
    assert len(data) == 128 + 3 * 5 * 4
    (tmp_path / "vectors.npy").write_bytes(data[:kept])
    with pytest.raises(StoreUnreadable):
        open_vectors(tmp_path / "vectors.npy", 3, 5)


def test_a_missing_file_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreadable, match=r"vectors\.npy"):
        open_vectors(tmp_path / "vectors.npy", 3, 5)
