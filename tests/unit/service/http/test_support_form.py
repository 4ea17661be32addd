"""The form of a request that adapts, to examples."""

from __future__ import annotations

import json

import httpx
import pytest

from models.bundle import StrokeLimits
from service.adaptation.examples import SupportLimits
from service.errors import BodyInvalid, TooManyPairs
from service.http.forms.body import Upload
from service.http.forms.support_form import read_examples
from service.sketches.reading import read_sketch
from service.sketches.sketch import Strokes

LIMITS = SupportLimits(max_pairs=2, max_photos=1)

Fields = list[tuple[str, tuple[str | None, bytes]]]


def upload(*fields: tuple[str, bytes]) -> Upload:
    files: Fields = [(name, ("a file" if name in ("sketch", "photo") else None, data)) for name, data in fields]
    request = httpx.Request("POST", "http://test", files=files)
    return Upload(request.read(), request.headers["content-type"])


def test_fields_keep_their_order() -> None:
    examples = read_examples(
        upload(("sketch", b"one"), ("photo_id", "böx/1.png".encode()), ("photo", b"file"), ("sketch", b"two")), LIMITS
    )
    assert examples.sketches == (b"one", b"two")
    assert examples.photos == ("böx/1.png", b"file")


def test_strokes_may_come_bare() -> None:
    strokes = [[[1, 2, 3, 4], [5, 6, 7, 8]]]
    bare, whole = json.dumps(strokes).encode(), json.dumps({"strokes": strokes}).encode()
    examples = read_examples(upload(("strokes", b" " + bare), ("strokes", whole)), LIMITS)
    drawings = [read_sketch(data, StrokeLimits()) for data in examples.sketches]
    for drawing in drawings:
        assert isinstance(drawing, Strokes)
        assert drawing.strokes[0].tolist() == [[1.0, 5.0], [2.0, 6.0], [3.0, 7.0], [4.0, 8.0]]


def test_an_id_that_is_no_utf8_is_an_id_that_no_photo_has() -> None:
    assert read_examples(upload(("photo_id", b"\xff")), LIMITS).photos == ("\ufffd",)


def test_what_is_no_form_of_examples() -> None:
    with pytest.raises(BodyInvalid, match="multipart form"):
        read_examples(Upload(b"{}", "application/json"), LIMITS)
    with pytest.raises(BodyInvalid, match="'colour'"):
        read_examples(upload(("sketch", b"x"), ("colour", b"red")), LIMITS)
    with pytest.raises(BodyInvalid, match="boundary"):
        read_examples(Upload(b"x", "multipart/form-data"), LIMITS)


def test_more_fields_than_pairs_and_uploads_can_have() -> None:
    assert len(read_examples(upload(*[("photo_id", b"a")] * 5), LIMITS).photos) == 5
    with pytest.raises(TooManyPairs, match="2 pairs and 1 uploads are accepted"):
        read_examples(upload(*[("photo_id", b"a")] * 6), LIMITS)
