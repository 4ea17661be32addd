"""The QMUL vector pickles: strokes in place, and nothing in the file is ever run."""

from __future__ import annotations

import contextlib
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.data.datasets import FindingKind, PhotoKey, PickleRejected, check_content, open_dataset
from models.data.datasets.files import restricted_pickle
from models.data.datasets.files.restricted_pickle import load_arrays
from models.data.datasets.records.sketch_source import split_strokes

Make = Callable[..., Path]

# An L in the canvas's lower right corner: (200, 180) down to (200, 230), and, pen lifted, right to (240, 230).
CORNER = np.array([[200, 180, 0], [200, 230, 1], [200, 230, 0], [240, 230, 1]], dtype=np.float64)


def write(path: Path, content: object, protocol: int = 2) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


@pytest.fixture
def chairs(tmp_path: Path, photo: Make) -> Path:
    root = tmp_path / "ChairV2"
    for name in ("wing_chair", "stool", "bench", "sofa"):
        photo(root / "photo" / f"{name}.png")
    drawings = {
        "/train/wing_chair_1": CORNER,
        "/train/wing_chair_60": CORNER[:2],
        "/test/stool_A3X": CORNER - [9, 9, 0],
    }
    write(root / "ChairV2_Coordinate", drawings)
    return root


def test_keys_say_the_photo_and_the_split(chairs: Path) -> None:
    dataset = open_dataset(chairs, strict=True)
    assert dataset.format == "qmul-vector"
    assert {(r.sketch.name, r.photo.photo_id, r.split) for r in dataset.records} == {
        ("/train/wing_chair_1", "wing_chair", "train"),
        ("/train/wing_chair_60", "wing_chair", "train"),
        ("/test/stool_A3X", "stool", "test"),
    }
    assert {PhotoKey("chair", "bench"), PhotoKey("chair", "sofa")} <= dataset.split("test").photos.keys()
    assert PhotoKey("chair", "wing_chair") not in dataset.split("test").photos


def test_strokes_keep_their_place_on_the_canvas(chairs: Path) -> None:
    record = next(r for r in open_dataset(chairs).records if r.sketch.name == "/train/wing_chair_1")
    drawn = np.asarray(record.sketch.image().convert("L"))
    assert drawn.shape == (256, 256)
    rows, columns = np.nonzero(drawn < 128)
    assert (columns.min(), columns.max()) == pytest.approx((200, 240), abs=3)
    assert (rows.min(), rows.max()) == pytest.approx((180, 230), abs=3)


def test_strokes_end_at_the_pen_up_flag(chairs: Path) -> None:
    record = next(r for r in open_dataset(chairs).records if r.sketch.name == "/train/wing_chair_1")
    strokes = record.sketch.strokes()
    assert strokes is not None
    assert [stroke.tolist() for stroke in strokes] == [[[200, 180], [200, 230]], [[200, 230], [240, 230]]]
    unfinished = np.array([[1, 1, 0], [2, 2, 1], [3, 3, 0]], dtype=np.float32)
    assert [len(stroke) for stroke in split_strokes(unfinished)] == [2, 1]


def test_what_is_no_drawing_is_reported(chairs: Path) -> None:
    drawings = {
        "/train/stool_1": np.zeros((4, 2)),
        "/train/stool_2": np.array([[np.nan, 1, 1]]),
        "/train/stool_3": np.array([[4000.0, 1, 1]]),
        "/train/stool_4": np.zeros((0, 3)),
        "/train/stool_5": np.array([[1e300, 1, 1]]),
        "/nowhere/stool_1": CORNER,
        "/train/stool": CORNER,
        "/train/throne_1": CORNER,
        "/test/bench_1": CORNER,
        "/train/bench_1": CORNER,
    }
    write(chairs / "ChairV2_Coordinate", drawings)
    dataset = open_dataset(chairs)
    assert sorted((f.kind.value, f.where) for f in dataset.flaws) == [
        ("bad_name", "/nowhere/stool_1"),
        ("bad_name", "/train/stool"),
        ("missing_photo", "/train/throne_1"),
        ("split_leak", "/train/bench_1"),
        *(("unreadable", f"/train/stool_{number}") for number in range(1, 6)),
    ]
    # One drawing under two keys: it leaks once by its photo and once by its content.
    leaks = [f for f in check_content(dataset).findings if f.where == "/train/bench_1"]
    assert [f.kind for f in leaks] == [FindingKind.SPLIT_LEAK, FindingKind.SPLIT_LEAK]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "array",
    [
        CORNER,
        CORNER.astype(np.float32),
        CORNER.astype(">f8"),
        CORNER.astype(np.int16),
        np.asfortranarray(CORNER),
        CORNER[::2],
        np.zeros((0, 3)),
    ],
    ids=["f8", "f4", "big-endian", "i2", "fortran", "strided", "empty"],
)
def test_arrays_of_every_protocol_come_back(tmp_path: Path, array: np.ndarray[Any, Any], protocol: int) -> None:
    read = load_arrays(write(tmp_path / "p", {"a": array, "b": array}, protocol))
    for name in ("a", "b"):
        np.testing.assert_array_equal(read[name], array.astype(np.float32))
        assert read[name].dtype == np.float32
        assert not read[name].flags.writeable


def test_archives_from_before_numpy_two_and_python_three_are_read(tmp_path: Path) -> None:
    new = pickle.dumps({"a": CORNER}, protocol=2)
    (tmp_path / "old").write_bytes(new.replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    np.testing.assert_array_equal(load_arrays(tmp_path / "old")["a"], CORNER)
    # Python 2 wrote the bytes of an array as a plain string.
    raw = np.array([[1.5, 2.5, 1.0]]).tobytes()
    state = b"(I1\n(I1\nI3\ntcnumpy\ndtype\n(S'f8'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\n"
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
    (tmp_path / "python2").write_bytes(
        b"(dS'k'\n" + array + state + b"T" + len(raw).to_bytes(4, "little") + raw + b"tbs."
    )
    np.testing.assert_array_equal(load_arrays(tmp_path / "python2")["k"], [[1.5, 2.5, 1.0]])


class Runs:
    """Would write a file when it is unpickled."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.witness}",)


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_code_in_a_pickle_is_rejected_and_not_run(chairs: Path, tmp_path: Path, protocol: int) -> None:
    witness = tmp_path / "witness"
    write(chairs / "ChairV2_Coordinate", {"/train/stool_1": Runs(witness)}, protocol)
    with pytest.raises(PickleRejected, match=r"it asks for posix\.system; only numpy arrays are read"):
        open_dataset(chairs)
    assert not witness.exists()


@pytest.mark.parametrize(
    "content",
    [
        [CORNER],
        {"a": [1, 2]},
        {"a": {"b": CORNER}},
        {3: CORNER},
        {"a": np.array([{"x": 1}], dtype=object)},
        {"a": np.array(["text"])},
        {"a": np.zeros(2, dtype=[("x", "f4")])},
        {"a": np.zeros((2, 2, 2))},
        {"a": np.float64(1.0)},
        {"a": np.ma.masked_array([1.0, 2.0], [True, False])},
        {"a": 1 + 2j},
    ],
    ids=lambda content: str(content)[:24],
)
@pytest.mark.parametrize("protocol", [2, 5])
def test_anything_but_plain_arrays_is_rejected(tmp_path: Path, content: object, protocol: int) -> None:
    with pytest.raises(PickleRejected):
        load_arrays(write(tmp_path / "p", content, protocol))


def lies(data: bytes) -> bytes:
    """An archive whose array claims a shape of (1000, 3) and has these bytes."""
    honest = pickle.dumps({"a": np.frombuffer(data, np.uint8)}, protocol=2)
    return honest.replace(b"K" + bytes([len(data)]) + b"\x85", b"M\xe8\x03K\x03\x86", 1)


@pytest.mark.parametrize(
    "data",
    [b"", b"no pickle", pickle.dumps({"a": CORNER})[:-40], b"\x80\x04\x95", b"]" * 10_000, lies(b"12345")],
    ids=["empty", "text", "cut", "header", "nested", "shape"],
)
def test_broken_archives_are_rejected(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "p").write_bytes(data)
    with pytest.raises(PickleRejected):
        load_arrays(tmp_path / "p")


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x02cnumpy\ndtype\n}X\x01\x00\x00\x00xK\x01sb.",  # BUILD gives a function an attribute
        b"\x80\x02}X\x01\x00\x00\x00ar\xff\xff\xff\xfes.",  # LONG_BINPUT names memo place 4 278 190 079
        b"\x80\x02cnumpy\ndtype\n)\x81.",  # NEWOBJ
        b"(inumpy\ndtype\n.",  # INST
        b"\x80\x05\x96\xff\xff\xff\xff\xff\xff\xff\x7f.",  # BYTEARRAY8 of 2^63 - 1 bytes
        b"\x80\x04\x8e\xff\xff\xff\xff\x00\x00\x00\x00.",  # BINBYTES8 of 4 GB
    ],
    ids=["build", "memo", "newobj", "inst", "bytearray", "bytes"],
)
def test_crafted_operations_are_rejected(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "p").write_bytes(data)
    with pytest.raises(PickleRejected):
        load_arrays(tmp_path / "p")
    assert not vars(restricted_pickle._dtype)


def test_many_arrays_on_the_same_bytes_are_rejected(tmp_path: Path) -> None:
    shared = np.zeros(1_000, np.uint8).tobytes()
    dtype = b"cnumpy\ndtype\n(S'u1'\nI0\nI1\ntR"
    array = b"cnumpy._core.numeric\n_frombuffer\n(g1\n" + dtype + b"(I1000\ntS'C'\ntR"
    names = b"".join(b"S'%d'\n" % number + array + b"s" for number in range(100))
    data = b"\x80\x04B" + len(shared).to_bytes(4, "little") + shared + b"q\x010(d" + names + b"."
    (tmp_path / "p").write_bytes(data.replace(b"(d", b"}"))
    with pytest.raises(PickleRejected, match="more numbers than it has bytes"):
        load_arrays(tmp_path / "p")


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_archive_is_read_or_rejected(tmp_path: Path, data: st.DataObject) -> None:
    whole = bytearray(pickle.dumps({"a": CORNER}, protocol=data.draw(st.sampled_from([0, 2, 4, 5]))))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "p").write_bytes(whole)
    with contextlib.suppress(PickleRejected):
        assert all(array.dtype == np.float32 for array in load_arrays(tmp_path / "p").values())


def test_persistent_references_are_rejected(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(b"(dS'a'\nPsomewhere\ns.")
    with pytest.raises(PickleRejected, match="outside of the file"):
        load_arrays(tmp_path / "p")
