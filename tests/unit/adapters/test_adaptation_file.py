"""adaptation.npz: what is read is what was written, and nothing else is read as an adaptation."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.adapters import Adaptation, AdaptationCorrupt
from models.adapters.state import Method

E = 8


def whole() -> Adaptation:
    """Every array that the file may hold."""
    random = np.random.default_rng(0)
    start = Adaptation.untrained(E, rate=0.3, power=0.2)
    shapes = {"head": (E, 3), "down": (E, 2), "up": (2, E), "usual": (E,)}
    arrays = {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    arrays["gains"] = np.exp(random.normal(size=E)).astype(np.float32)
    return replace(start, arrays={**start.arrays, **arrays}, name="whole", bundle_id="some-bundle")


def parts(data: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    with np.load(io.BytesIO(data)) as file:
        arrays = {name: file[name] for name in file.files}
    return json.loads(arrays.pop("header").tobytes()), arrays


def packed(header: object, arrays: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, header=np.frombuffer(json.dumps(header).encode(), np.uint8), **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize("method", ["adaptive", "bayes", "centred"])
def test_what_is_written_is_read(tmp_path: Path, method: Method) -> None:
    mine = replace(whole(), method=method)
    mine.save(tmp_path / "adaptation.npz")
    read = Adaptation.load(tmp_path / "adaptation.npz")
    assert (read.method, read.embedding_dim, read.name, read.bundle_id) == (method, E, "whole", "some-bundle")
    assert read.settings == mine.settings
    assert read.arrays.keys() == mine.arrays.keys()
    for name, array in mine.arrays.items():
        np.testing.assert_array_equal(read.arrays[name], array)
    assert [path.name for path in tmp_path.iterdir()] == ["adaptation.npz"]


def test_the_id_is_of_everything_that_decides_a_fit() -> None:
    mine = whole()
    assert mine.adaptation_id == whole().adaptation_id
    assert mine.adaptation_id.startswith("whole-")
    changes: list[dict[str, Any]] = [
        {"settings": mine.settings.model_copy(update={"rate": 0.31})},
        {"settings": mine.settings.model_copy(update={"negatives": 5})},
        {"arrays": {**mine.arrays, "head": mine.arrays["head"] + 1e-6}},
        {"arrays": {**mine.arrays, "head": mine.arrays["head"].reshape(3, E)}},
        {"arrays": {name: array for name, array in mine.arrays.items() if name != "usual"}},
        {"bundle_id": "another"},
        {"method": "bayes"},
        {"name": "other"},
    ]
    ids = {replace(mine, **change).adaptation_id for change in changes}
    assert len(ids | {mine.adaptation_id}) == len(changes) + 1


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"format": "1"},
        {"method": "guess"},
        {"embedding_dim": 0},
        {"embedding_dim": "many"},
        {"embedding_dim": 9},
        {"name": None},
        {"settings": None},
        {"settings": {"rate": -1.0}},
        {"settings": {"power": "nan"}},
        {"settings": {"surprise": 1}},
        {"settings": {"centre": {"trust": 0.0}}},
        {"surprise": True},
    ],
)
def test_a_wrong_header_is_rejected(change: dict[str, Any]) -> None:
    header, arrays = parts(whole().to_bytes())
    with pytest.raises(AdaptationCorrupt, match=r"not an adaptation file of format 1|this release reads version 1"):
        Adaptation.from_bytes(packed({**header, **change}, arrays))


@pytest.mark.parametrize("header", [None, 1, "text", [], {}])
def test_a_header_that_is_no_document_is_rejected(header: object) -> None:
    with pytest.raises(AdaptationCorrupt):
        Adaptation.from_bytes(packed(header, parts(whole().to_bytes())[1]))


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("head", np.zeros((E + 1, 3), np.float32)),
        ("head", np.zeros(E, np.float32)),
        ("head", np.float32(1.0)),
        ("head", np.zeros((E, 3), np.float64)),
        ("head", np.full((E, 3), np.nan, np.float32)),
        ("usual", np.zeros((E, 1), np.float32)),
        ("usual", np.full(E, np.inf, np.float32)),
        ("up", np.zeros((3, E), np.float32)),
        ("down", np.zeros((E, 1), np.float32)),
        ("margin.last_bias", np.zeros((), np.float32)),
        ("margin.inner_weight", np.zeros((3, 9), np.float32)),
        ("margin.inner_bias", np.array(["text"] * 8)),
    ],
)
def test_a_wrong_array_is_rejected_by_name(name: str, array: Any) -> None:
    header, arrays = parts(whole().to_bytes())
    with pytest.raises(AdaptationCorrupt, match=name.split(".")[-1]):
        Adaptation.from_bytes(packed(header, {**arrays, name: array}), "the file")


@pytest.mark.parametrize("name", ["down", "up", "margin.outer_bias"])
def test_a_missing_array_is_rejected(name: str) -> None:
    header, arrays = parts(whole().to_bytes())
    del arrays[name]
    with pytest.raises(AdaptationCorrupt):
        Adaptation.from_bytes(packed(header, arrays))


def test_nothing_that_could_run_code_is_unpickled() -> None:
    header, arrays = parts(whole().to_bytes())
    buffer = io.BytesIO()
    objects = np.array([print], dtype=object)
    np.savez(buffer, header=np.frombuffer(json.dumps(header).encode(), np.uint8), **arrays, extra=objects)
    with pytest.raises(AdaptationCorrupt):
        Adaptation.from_bytes(buffer.getvalue())


def test_an_archive_without_a_header_and_other_files_are_rejected(tmp_path: Path) -> None:
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    text = io.BytesIO()
    with zipfile.ZipFile(text, "w") as archive:
        archive.writestr("header", b"{}")
    single = io.BytesIO()
    np.save(single, np.zeros(3, np.float32))
    for data in (empty.getvalue(), text.getvalue(), single.getvalue(), b"PK\x03\x04", b"\x93NUMPY"):
        with pytest.raises(AdaptationCorrupt, match="the file is not"):
            Adaptation.from_bytes(data, "the file")
    with pytest.raises(AdaptationCorrupt, match="cannot be read"):
        Adaptation.load(tmp_path)


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damage_anywhere_is_found_or_harmless(data: st.DataObject) -> None:
    """A flipped byte either leaves every number as it was (padding, time stamps) or is rejected; it never crashes."""
    original = whole()
    content = bytearray(original.to_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        read = Adaptation.from_bytes(bytes(content))
    except AdaptationCorrupt:
        return
    for name, array in read.arrays.items():
        np.testing.assert_array_equal(array, original.arrays[name])


@pytest.mark.parametrize(
    ("dim", "bundle_id", "fits"),
    [(E, "some-bundle", True), (E, "another", False), (E + 1, "some-bundle", False), (E, "", False)],
)
def test_it_fits_the_embeddings_that_it_was_made_for(dim: int, bundle_id: str, fits: bool) -> None:
    if fits:
        whole().require_fits(dim, bundle_id)
    else:
        with pytest.raises(AdaptationCorrupt, match="was made for 8 numbers of some-bundle"):
            whole().require_fits(dim, bundle_id)
    replace(whole(), bundle_id="").require_fits(E, "any")


def test_what_is_carried_to_another_space_has_no_direction() -> None:
    carried = whole().carried_over(5)
    assert {name.split(".")[0] for name in carried.arrays} == {"margin"}
    assert (carried.embedding_dim, carried.bundle_id, carried.name) == (5, "", "whole-carried")
    assert Adaptation.from_bytes(carried.to_bytes()).adaptation_id == carried.adaptation_id


@pytest.mark.parametrize("method", ["adaptive", "bayes", "centred"])
def test_untrained_methods_take_settings(method: Method) -> None:
    start = Adaptation.untrained(E, method, negatives=3)
    assert start.settings.negatives == 3
    assert (start.settings.rate > 0) == (method == "adaptive")
    with pytest.raises(ValueError, match="surprise"):
        Adaptation.untrained(E, method, surprise=1.0)
