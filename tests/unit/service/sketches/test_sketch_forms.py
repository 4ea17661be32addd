"""The JSON forms of a sketch: what each means, and where a wrong one is wrong."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest

from models.bundle import StrokesInvalid
from service.errors import BodyInvalid
from service.sketches.json_forms import POINTS_EXAMPLE, STROKES_EXAMPLE, sketch_from_json
from service.sketches.reading import parse_json, read_sketch
from service.sketches.sketch import EncodedImage, Strokes


def positions(document: Any) -> list[list[list[float]]]:
    sketch = sketch_from_json(document)
    assert isinstance(sketch, Strokes)
    for stroke in sketch.strokes:
        assert stroke.dtype == np.float64 and stroke.shape[1] == 2
    return [stroke.tolist() for stroke in sketch.strokes]


def test_rows_points_and_a_single_stroke() -> None:
    expected = [[[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]]
    points = [{"x": 1, "y": 4}, {"x": 2, "y": 5, "t": 8}, {"x": 3, "y": 6, "t": 16}]
    for document in (
        {"strokes": [[[1, 2, 3], [4, 5, 6]]]},
        {"strokes": [[[1, 2, 3], [4, 5, 6], [0, 8, 16]]]},  # times are not used
        {"strokes": [{"points": points}]},
        {"points": points},
    ):
        assert positions(document) == expected
    mixed = positions({"strokes": [[[1], [2]], {"points": [{"x": 3, "y": 4}]}]})
    assert mixed == [[[1.0, 2.0]], [[3.0, 4.0]]]


@pytest.mark.parametrize("example", [STROKES_EXAMPLE, POINTS_EXAMPLE])
def test_the_documented_examples_are_sketches(example: dict[str, Any]) -> None:
    assert positions(example)


def test_an_image_in_base64() -> None:
    data = bytes(range(200))
    text = base64.b64encode(data).decode()
    for value in (text, f"data:image/png;base64,{text}", f"data:,{text}"):
        assert sketch_from_json({"image_base64": value}) == EncodedImage(data)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (5, "not int"),
        ([], "not list"),
        (None, "not NoneType"),
        ({}, "not none"),
        ({"drawing": []}, "'drawing'"),
        ({"strokes": [], "points": []}, "exactly one"),
        ({"strokes": "line"}, "strokes"),
        ({"strokes": [[[1, 2]]]}, "strokes.0"),
        ({"strokes": [[[1], [2], [3], [4]]]}, "strokes.0"),
        ({"points": [{"x": 1}]}, "points.0.y"),
        ({"points": [{"x": 1, "y": 2, "z": 3}]}, "points.0.z"),
        ({"points": [{"x": 1, "y": float("nan")}]}, "points.0.y"),
        ({"image_base64": "?"}, "not base64"),
        ({"image_base64": "aGk=", "k": 5}, "k"),
    ],
)
def test_what_is_no_sketch_is_said(document: Any, said: str) -> None:
    with pytest.raises(BodyInvalid) as caught:
        sketch_from_json(document)
    assert said in str(caught.value)


def test_faults_are_listed_but_not_all() -> None:
    with pytest.raises(BodyInvalid) as caught:
        sketch_from_json({"points": [{"x": "a", "y": "b"}] * 20})
    assert len(caught.value.fields) == 5
    assert caught.value.fields[0][0] == "points.0.x"


def test_rows_of_unequal_length_are_no_drawing() -> None:
    with pytest.raises(StrokesInvalid, match="stroke 1 has rows of 2, 1 numbers"):
        sketch_from_json({"strokes": [[[1], [2]], [[1, 2], [1]]]})


@pytest.mark.parametrize("data", [b"", b"  \n\t "])
def test_an_empty_body_is_no_sketch(data: bytes) -> None:
    with pytest.raises(BodyInvalid, match="empty"):
        read_sketch(data)


def test_json_is_known_by_its_first_character() -> None:
    document = json.dumps({"points": [{"x": 1, "y": 2}]}).encode()
    for data in (document, b" \n" + document):
        assert isinstance(read_sketch(data), Strokes)
    for data in (b"\x89PNG", b"<svg/>", b"text", b"\xef\xbb\xbf{}"):
        assert read_sketch(data) == EncodedImage(data)


def test_json_that_is_broken() -> None:
    assert parse_json(b'{"a": [1, 2.5, null]}') == {"a": [1, 2.5, None]}
    for data in (b"{", b'{"a": }', b"[1,]"):
        with pytest.raises(BodyInvalid, match="neither an accepted image nor JSON"):
            parse_json(data)
