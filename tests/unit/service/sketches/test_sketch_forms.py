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
        {"drawing": [[[1, 2, 3], [4, 5, 6]]], "word": "cat", "key_id": "1"},
        {"drawing": [[[1, 2, 3], [4, 5, 6], [0, 8, 16]]]},  # times are not used
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
        (5, "not a number; a sketch is one of image_base64"),
        ([], "an object is expected, not a list"),
        (None, "not null"),
        ({}, "not 0 of them"),
        ({"sketch": []}, "no key 'sketch'; a sketch is one of"),
        ({"strokes": [], "points": []}, "exactly one"),
        ({"strokes": "line"}, "strokes"),
        ({"strokes": [[1, 2]]}, "strokes.0.0"),
        ({"points": [{"x": 1}]}, "points.0: the key 'y' is missing"),
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
    assert caught.value.fields == (("points.1.x", "a number is expected, not text"),)


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
    with pytest.raises(StrokesInvalid, match="stroke 1 has 2 lists of 1, 2 numbers"):
        parsed({"strokes": [[[1], [2]], [[1, 2], [1]]]})


@pytest.mark.parametrize("data", [b"", b"  \n\t "])
def test_an_empty_body_is_no_sketch(data: bytes) -> None:
    with pytest.raises(BodyInvalid, match="empty"):
        read_sketch(data, LIMITS)


def test_json_is_known_by_its_first_character() -> None:
    document = json.dumps({"points": [{"x": 1, "y": 2}]}).encode()
    for data in (document, b" \n" + document, b"\xef\xbb\xbf" + document):
        assert isinstance(read_sketch(data, LIMITS), Strokes)
    for data in (b"\x89PNG", b"<svg/>", b"text"):
        assert read_sketch(data, LIMITS) == EncodedImage(data)


def test_json_that_is_broken() -> None:
    for data in (b"{", b'{"points": }', b'{"points": [1,]}'):
        with pytest.raises(BodyInvalid, match="neither an accepted image nor JSON"):
            read_sketch(data, LIMITS)
    for data in (b'{"points":' + b"[" * 100_000, b"[" * 100_000):
        with pytest.raises(BodyInvalid):
            read_sketch(data, LIMITS)


LINE = [[10.0, 20.0], [30.0, 40.0], [50.0, 60.0], [70.0, 80.0]]
SHORT = [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    "stroke",
    [
        [[10, 30, 50, 70], [20, 40, 60, 80]],
        [[10, 30, 50, 70], [20, 40, 60, 80], [0, 8, 16, 24]],
        LINE,
        [[*pair, 8] for pair in LINE],
        [[10, 20], [30, 40, 8], [50, 60], [70, 80]],
        [{"x": x, "y": y, "pressure": 0.5, "t": 8} for x, y in LINE],
        {"points": LINE},
        {"points": [[*pair, 0.5, 8, 0] for pair in LINE]},
        {"points": [{"x": x, "y": y, "pressure": 0.5} for x, y in LINE]},
        {"points": [{"x": x, "y": y} for x, y in LINE], "color": "#000", "width": 3},
        {"x": [10, 30, 50, 70], "y": [20, 40, 60, 80]},
    ],
)
def test_one_stroke_in_every_form(stroke: Any) -> None:
    assert positions({"strokes": [stroke]}) == [LINE]


def test_points_of_many_numbers_in_a_list() -> None:
    """As perfect-freehand and tablets have them: x, y, pressure, time."""
    line = LINE * 2
    assert positions({"strokes": [[[*pair, 0.5, 8] for pair in line]]}) == [line]
    assert positions({"strokes": [[[*pair, 0.5] for pair in line]]}) == [line]


def test_short_strokes_are_read_as_the_others_are() -> None:
    transposed = np.array(SHORT).T.tolist()
    assert positions({"strokes": [SHORT, LINE]}) == [SHORT, LINE]
    assert positions({"strokes": [SHORT, np.array(LINE).T.tolist()]}) == [transposed, LINE]
    assert positions({"drawing": [SHORT]}) == [transposed]
    assert positions({"points": SHORT}) == [SHORT]
    assert positions({"strokes": [[[1, 2]]]}) == [[[1.0, 2.0]]]
    assert positions({"strokes": [[[1], [2]]]}) == [[[1.0, 2.0]]]
    assert positions({"strokes": [{"points": SHORT}]}) == [SHORT]


@pytest.mark.parametrize(
    "strokes",
    [[SHORT], [SHORT, SHORT], [[[128, 20], [220, 220], [36, 220]]], [[[1, 2, 3], [4, 5, 6]], {"points": LINE}]],
)
def test_what_may_be_rows_or_pairs_is_never_guessed(strokes: Any) -> None:
    with pytest.raises(StrokesInvalid, match='"drawing"'):
        parsed({"strokes": strokes})
    # What the online store holds was read as rows when it was stored.
    stored = read_sketch(json.dumps({"strokes": [SHORT]}).encode(), LIMITS, ambiguous="rows")
    assert isinstance(stored, Strokes)
    assert stored.strokes[0].tolist() == [[1.0, 3.0], [2.0, 4.0]]


@pytest.mark.parametrize("empty", [None, [], [[], []], [[], [], []], {"points": []}, {"x": [], "y": []}])
def test_a_stroke_without_points_does_not_lose_the_drawing(empty: Any) -> None:
    assert positions({"strokes": [empty, LINE, empty]}) == [LINE]
    with pytest.raises(StrokesInvalid, match="no points"):
        parsed({"strokes": [empty]})


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"strokes": []}, "no points"),
        ({"points": []}, "no points"),
        ({"drawing": [[[1], [2], [3], [4]]]}, "4 rows"),
        ({"strokes": [["M 1 2 L 3 4"]]}, "not text"),
        ({"strokes": ["M 1 2 L 3 4"]}, "as SVG"),
        ({"strokes": [[[1, 2, 3, 4]]]}, "1 lists of 4 numbers"),
        ({"strokes": [LINE, np.array(LINE).T.tolist()]}, "stroke 1 has rows, stroke 0 has pairs"),
        ({"strokes": [{"x": [1]}]}, "neither points nor x and y"),
        ({"strokes": [{"d": "M 1 2 L 3 4"}]}, "path data is sent as SVG"),
        ({"strokes": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]}, 'sent as {"points": '),
        ({"strokes": [{"x": 9, "y": 9, "points": LINE}]}, "where the points count from there"),  # as of Excalidraw
        ({"strokes": [[{"x": 1, "y": 2}, [3]]]}, "point 1 has 1 numbers"),
        ({"strokes": [[{"x": "1", "y": 2}]]}, "strokes.0.0.x: a number is expected, not text"),
        ({"strokes": [[[[1, 2], [3, 4]]]]}, "strokes.0.0.0: a number is expected, not a list"),
        ({"strokes": [[1, 2, 3, 4]]}, "strokes.0.0: an object or a list is expected, not a number"),
        ({"strokes": [[[1, 2, 3, 4]] * 5]}, "5 lists of 4 numbers"),  # rows of time and pressure, too?
        ({"strokes": [LINE], "width": 300}, "no key 'width'"),
        ({"strokes": [{"x": [1], "y": [1, 2]}]}, "1 x and 2 y"),
        ({"points": [[1, 2], [3]]}, "point 1 has 1 numbers"),
    ],
)
def test_what_are_no_strokes_is_said(document: Any, said: str) -> None:
    with pytest.raises((StrokesInvalid, BodyInvalid), match=said):
        parsed(document)


def test_what_windows_and_the_base64_command_add_is_no_fault() -> None:
    data = bytes(range(250))
    wrapped = base64.encodebytes(data).decode()
    assert parsed({"image_base64": wrapped}) == EncodedImage(data)
    assert parsed({"image_base64": wrapped.replace("\n", "\r\n")}) == EncodedImage(data)
    assert parsed({"image_base64": base64.urlsafe_b64encode(data).decode().rstrip("=")}) == EncodedImage(data)
    assert isinstance(read_sketch(b"\xef\xbb\xbf" + json.dumps({"points": LINE}).encode(), LIMITS), Strokes)
