"""The JSON forms of a sketch: what each means, and where a wrong one is wrong."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest

from models.bundle import StrokeLimits, StrokesInvalid
from service.errors import BodyInvalid
from service.sketches.json_forms import POINTS_EXAMPLE, STROKES_EXAMPLE, batch_from_json, sketch_from_json
from service.sketches.reading import read_sketch
from service.sketches.sketch import EncodedImage, Sketch, Strokes

LIMITS = StrokeLimits(max_strokes=5, max_points=100)


def parsed(document: Any) -> Sketch:
    return sketch_from_json(json.dumps(document).encode(), LIMITS)


def positions(document: Any) -> list[list[list[float]]]:
    sketch = parsed(document)
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
        assert parsed({"image_base64": value}) == EncodedImage(data)
        # As PHP and .NET escape it.
        for escaped in (value.replace("/", r"\/"), value.replace("+", r"\u002B").replace("=", r"\u003d")):
            assert sketch_from_json(b'{"image_base64": "%s"}' % escaped.encode(), LIMITS) == EncodedImage(data)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (5, "got `int`"),
        ([], "got `array`"),
        (None, "got `null`"),
        ({}, "not 0 of them"),
        ({"drawing": []}, "`drawing`"),
        ({"strokes": [], "points": []}, "exactly one"),
        ({"strokes": "line"}, "strokes"),
        ({"strokes": [[[1, 2]]]}, "strokes.0"),
        ({"strokes": [[[1], [2], [3], [4]]]}, "strokes.0"),
        ({"points": [{"x": 1}]}, "points.0: Object missing required field `y`"),
        ({"points": [{"x": 1, "y": 2, "z": 3}]}, "points.0: Object contains unknown field `z`"),
        ({"points": [{"x": 1, "y": float("nan")}]}, "malformed"),
        ({"points": [{"x": 1, "y": 10**400}]}, "points.0.y: Number out of range"),
        ({"image_base64": ""}, "empty"),
        ({"image_base64": 5}, "a string is expected"),
        ({"image_base64": "?"}, "not base64"),
        ({"image_base64": "aGk=", "k": 5}, "k"),
    ],
)
def test_what_is_no_sketch_is_said(document: Any, said: str) -> None:
    with pytest.raises(BodyInvalid) as caught:
        parsed(document)
    assert said in str(caught.value)


def test_the_first_fault_ends_it() -> None:
    with pytest.raises(BodyInvalid) as caught:
        parsed({"points": [{"x": 1, "y": 2}, {"x": "a", "y": "b"}, {"x": "c", "y": "d"}]})
    assert caught.value.fields == (("points.1.x", "Expected `float`, got `str`"),)


@pytest.mark.parametrize(
    "document",
    [{"strokes": [1] * 500}, {"strokes": [[]] * 500}, {"points": [{}] * 500}, {"strokes": [[[0] * 500, [0] * 500]]}],
)
def test_more_values_than_a_drawing_may_have_are_not_parsed(document: Any) -> None:
    with pytest.raises(StrokesInvalid, match="more than 5 strokes with 100 points have"):
        parsed(document)


def test_the_largest_drawing_is_parsed() -> None:
    points = [{"x": 1.5, "y": 2.5, "t": 3.5}] * 20
    assert len(positions({"strokes": [{"points": points}] * 5})) == 5
    assert len(positions({"strokes": [[[0] * 20] * 3] * 5})) == 5


def test_a_batch_is_counted_before_its_items_are_parsed() -> None:
    for sent, kept in ((0, 0), (3, 3), (4, 4), (5, 4), (10_000, 4)):
        items = batch_from_json(json.dumps({"items": [{"points": [1]}] * sent}).encode(), 3)
        assert [bytes(item) for item in items] == [b'{"points": [1]}'] * kept
    for body in (b'{"items": 1}', b'{"items": [1], "k": 2}', b"{}", b"[]", b'{"items": [1,]}'):
        with pytest.raises(BodyInvalid):
            batch_from_json(body, 3)


def test_rows_of_unequal_length_are_no_drawing() -> None:
    with pytest.raises(StrokesInvalid, match="stroke 1 has rows of 2, 1 numbers"):
        parsed({"strokes": [[[1], [2]], [[1, 2], [1]]]})


@pytest.mark.parametrize("data", [b"", b"  \n\t "])
def test_an_empty_body_is_no_sketch(data: bytes) -> None:
    with pytest.raises(BodyInvalid, match="empty"):
        read_sketch(data, LIMITS)


def test_json_is_known_by_its_first_character() -> None:
    document = json.dumps({"points": [{"x": 1, "y": 2}]}).encode()
    for data in (document, b" \n" + document):
        assert isinstance(read_sketch(data, LIMITS), Strokes)
    for data in (b"\x89PNG", b"<svg/>", b"text", b"\xef\xbb\xbf{}"):
        assert read_sketch(data, LIMITS) == EncodedImage(data)


def test_json_that_is_broken() -> None:
    for data in (b"{", b'{"points": }', b'{"points": [1,]}'):
        with pytest.raises(BodyInvalid, match="neither an accepted image nor JSON"):
            read_sketch(data, LIMITS)
    for data in (b'{"points":' + b"[" * 100_000, b"[" * 100_000):
        with pytest.raises(BodyInvalid):
            read_sketch(data, LIMITS)
