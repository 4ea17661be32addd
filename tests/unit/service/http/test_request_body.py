from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bundle import StrokeLimits
from models.errors import InkseekError
from service.errors import BatchTooLarge, BodyInvalid
from service.http.forms.body import Upload, read_batch, read_single
from service.http.forms.multipart import Part, parse_multipart
from service.sketches.reading import read_sketch
from service.sketches.sketch import EncodedImage, Strokes

LIMITS = StrokeLimits()

field_names = st.text(st.characters(codec="utf-8", exclude_characters='"\r\n\\%', categories=("L", "N")), min_size=1)


@given(fields=st.lists(st.tuples(field_names, st.binary(max_size=3_000)), min_size=1, max_size=5))
def test_multipart_is_what_a_client_encoded(fields: list[tuple[str, bytes]]) -> None:
    request = httpx.Request("POST", "http://test", files=[(name, ("a file", data)) for name, data in fields])
    parts = parse_multipart(request.read(), request.headers["content-type"], 10)
    assert parts == [Part(name, data) for name, data in fields]


@given(body=st.binary(max_size=500))
def test_multipart_never_fails_in_another_way(body: bytes) -> None:
    for data in (body, b"--b\r\n" + body, b'--b\r\nContent-Disposition: form-data; name="sketch"\r\n\r\n' + body):
        try:
            parse_multipart(data, "multipart/form-data; boundary=b", 3)
        except (BodyInvalid, BatchTooLarge):
            continue


def test_multipart_stops_at_its_limit() -> None:
    request = httpx.Request("POST", "http://test", files=[("sketch", b"x")] * 4)
    with pytest.raises(BatchTooLarge):
        parse_multipart(request.read(), request.headers["content-type"], 3)


@given(data=st.binary(max_size=300))
def test_any_bytes_are_a_sketch_or_a_typed_error(data: bytes) -> None:
    for upload in (Upload(data), Upload(b"{" + data), Upload(b'{"strokes":' + data + b"}")):
        try:
            source = read_single(upload, LIMITS)
        except InkseekError:
            continue
        assert isinstance(source, EncodedImage | Strokes)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["x", "y", "points"]), inner),
    max_leaves=12,
)


@given(value=json_values, key=st.sampled_from(["strokes", "points", "image_base64", "items"]))
def test_any_json_is_a_sketch_or_a_typed_error(value: Any, key: str) -> None:
    body = json.dumps({key: value}).encode()
    for read in (lambda: read_single(Upload(body), LIMITS), lambda: read_batch(Upload(body), 3, LIMITS)):
        try:
            read()
        except InkseekError:
            continue


coordinates = st.floats(-1e6, 1e6, allow_nan=False)
rows = st.integers(1, 6).flatmap(
    lambda n: st.lists(st.lists(coordinates, min_size=n, max_size=n), min_size=2, max_size=3)
)


@given(strokes=st.lists(rows, min_size=1, max_size=4))
def test_stroke_numbers_arrive_unchanged(strokes: list[list[list[float]]]) -> None:
    source = read_single(Upload(json.dumps({"drawing": strokes}).encode()), LIMITS)
    assert isinstance(source, Strokes)
    assert [stroke.T.tolist() for stroke in source.strokes] == [stroke[:2] for stroke in strokes]


def test_base64_and_data_urls() -> None:
    data = bytes(range(256))
    text = base64.b64encode(data).decode()
    for value in (text, f"data:image/png;base64,{text}", f"data:;base64,{text}"):
        assert read_sketch(json.dumps({"image_base64": value}).encode(), LIMITS) == EncodedImage(data)
    with pytest.raises(BodyInvalid, match="base64"):
        read_sketch(b'{"image_base64": "not base64!"}', LIMITS)


def test_the_message_names_the_place() -> None:
    with pytest.raises(BodyInvalid) as caught:
        read_single(Upload(b'{"points": [{"x": 1, "y": 2}, {"x": "a", "y": 2}]}'), LIMITS)
    assert caught.value.fields[0][0] == "points.1.x"


def test_batch_items_fail_one_by_one() -> None:
    body = b'{"items": [{"points": [{"x": 1, "y": 2}]}, 5, {"strokes": [[[1], [1]]]}]}'
    sources = read_batch(Upload(body), 3, LIMITS)
    assert [type(source) for source in sources] == [Strokes, BodyInvalid, Strokes]
    with pytest.raises(BatchTooLarge):
        read_batch(Upload(body), 2, LIMITS)
