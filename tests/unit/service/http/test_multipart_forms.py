"""Forms as clients write them by hand and by library: read, or an error that says what is wrong."""

from __future__ import annotations

import base64
import time

import pytest

from models.bundle import StrokeLimits
from service.adaptation.examples import SupportLimits
from service.errors import BatchTooLarge, BodyInvalid
from service.http.forms.body import Upload, read_batch, read_single
from service.http.forms.multipart import Part, parse_multipart
from service.http.forms.support_form import read_examples
from service.sketches.sketch import EncodedImage

TYPE = "multipart/form-data; boundary=b"
DATA = b"\x89PNG\r\n\x1a\n\r\n--not a boundary\n\r"  # with line ends, dashes and a last carriage return of its own
PART = b'Content-Disposition: form-data; name="sketch"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n' + DATA
FORM = b"--b\r\n" + PART + b"\r\n--b--\r\n"
EMPTY = b'--b\r\nContent-Disposition: form-data; name="%s"; filename=""\r\nContent-Type: a/b\r\n\r\n\r\n'
LIMITS = StrokeLimits()


def with_head(head: bytes) -> bytes:
    return b"--b\r\n" + head + b"\r\n\r\n" + DATA + b"\r\n--b--\r\n"


@pytest.mark.parametrize(
    "body",
    [
        FORM,
        b"This is a message in MIME.\r\n" + FORM,  # preamble
        b"\r\n" + FORM,
        FORM + b"an epilogue\r\n--b\r\nnothing of it is read",
        FORM.removesuffix(b"\r\n"),
        FORM.replace(b"--b", b"--b \t").replace(b"--b \t--", b"--b--  "),  # transport padding
        FORM.replace(DATA, b"\0").replace(b"\r\n", b"\n").replace(b"\0", DATA),  # line feeds alone
        EMPTY % b"sketch" + FORM,  # a second file input, in which nothing was chosen
        FORM.removesuffix(b"--b--\r\n") + EMPTY % b"photo" + b"--b--\r\n",
        with_head(b"content-disposition:form-data;name=sketch"),
        with_head(b"CONTENT-DISPOSITION: Form-Data; NAME=\"sketch\"; filename*=UTF-8''%e2%82%ac.png"),
        with_head(b'Content-Disposition: form-data; filename="a;b\\"c.png"; name="sketch"'),
        with_head(b'Content-Disposition: form-data;\r\n name="sketch"'),  # folded
        with_head(b'X-Odd: \xff\xfe\r\nContent-Type: ;;=\r\nContent-Disposition: form-data; name="sketch"'),
        with_head(b'Content-Transfer-Encoding: BINARY\r\nContent-Disposition: form-data; name="sketch"'),
    ],
)
def test_forms_that_mean_the_same(body: bytes) -> None:
    assert parse_multipart(body, TYPE, 3) == [Part("sketch", DATA)]


@pytest.mark.parametrize(
    "content_type",
    [
        'multipart/form-data; boundary="b"',
        "Multipart/Form-Data; BOUNDARY=b",
        'multipart/form-data; charset=utf-8; boundary="b"; more=x',
        "multipart/form-data;boundary=b",
    ],
)
def test_the_boundary_however_it_is_named(content_type: str) -> None:
    assert read_single(Upload(FORM, content_type), LIMITS) == EncodedImage(DATA)


def test_boundaries_with_signs_that_mean_something_elsewhere() -> None:
    boundary = b"a'()+_,-./:=?b*$^|"
    assert parse_multipart(
        FORM.replace(b"--b", b"--" + boundary), f'multipart/form-data; boundary="{boundary.decode()}"', 3
    ) == [Part("sketch", DATA)]


def test_bytes_that_are_written_in_ascii() -> None:
    for encoding, written in ((b"base64", base64.encodebytes(DATA)), (b"Quoted-Printable", b"=89PNG")):
        head = b'Content-Disposition: form-data; name="sketch"\r\nContent-Transfer-Encoding: ' + encoding
        (part,) = parse_multipart(with_head(head).replace(DATA, written), TYPE, 3)
        assert part.data == (DATA if encoding == b"base64" else b"\x89PNG")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not in it"),
        (FORM.replace(b"--b", b"--c"), "not in it"),
        (FORM.removesuffix(b"\r\n--b--\r\n"), "closing boundary is missing"),
        (FORM.removesuffix(b"--\r\n"), "closing boundary is missing"),
        (b"--b\r\n" + PART.replace(b"\r\n\r\n", b"\r\n") + b"\r\n--b--\r\n", "no empty line"),
        (b"--b\r\nonly one line\r\n--b--\r\n", "no empty line"),
        (b"--b\r\n\r\ncontent\r\n--b--\r\n", "no Content-Disposition"),
        (with_head(b"Content-Disposition: attachment; name=sketch"), "no Content-Disposition"),
        (with_head(b"Content-Disposition: form-data"), "with a name"),
        (with_head(b"no colon"), "is no header"),
        (with_head(b"A: b\r\n" * 40 + b"C: d"), "too long"),
        (with_head(b'Content-Disposition: form-data; name="sketch"\r\nContent-Transfer-Encoding: x-uue'), "x-uue"),
    ],
)
def test_what_is_broken_is_said(body: bytes, said: str) -> None:
    with pytest.raises(BodyInvalid, match=said):
        parse_multipart(body, TYPE, 3)


@pytest.mark.parametrize("alike", [b"--b", b"\n--b!", b"\r\n--b\r", b"\n--b  -", b"x--b\n"])
def test_what_is_nearly_a_boundary_costs_little(alike: bytes) -> None:
    body = FORM.removesuffix(b"--b--\r\n") + alike * (10 * 2**20 // len(alike))
    before = time.process_time()
    with pytest.raises(BodyInvalid, match=r"truncated|like its boundary"):
        parse_multipart(body, TYPE, 2)
    assert time.process_time() - before < 0.3


def test_some_lines_may_begin_like_the_boundary() -> None:
    data = b"\n--bb" * 900
    (part,) = parse_multipart(FORM.replace(DATA, data), TYPE, 2)
    assert part == Part("sketch", data)
    with pytest.raises(BodyInvalid, match="line after line begins like its boundary"):
        parse_multipart(FORM.replace(DATA, b"\n--bb" * 1001), TYPE, 2)
    with pytest.raises(BodyInvalid, match="line after line begins like its boundary"):  # of all parts together
        parse_multipart(FORM.removesuffix(b"--b--\r\n").replace(DATA, data) * 2 + b"--b--\r\n", TYPE, 2)


def test_empty_file_inputs_count_towards_no_limit_but_have_one() -> None:
    assert len(parse_multipart(EMPTY % b"sketch" * 5 + FORM, TYPE, 1)) == 1
    with pytest.raises(BatchTooLarge):
        parse_multipart(EMPTY % b"sketch" * 1_000 + FORM, TYPE, 1)
    with pytest.raises(BodyInvalid, match="no file was chosen"):
        read_single(Upload(EMPTY % b"sketch" + b"--b--\r\n", TYPE), LIMITS)
    batch = FORM.removesuffix(b"--b--\r\n") + EMPTY % b"sketch" + FORM
    assert read_batch(Upload(batch, TYPE), 2, LIMITS) == [EncodedImage(DATA)] * 2


def test_a_field_that_is_empty_without_being_a_file_stays() -> None:
    body = with_head(b'Content-Disposition: form-data; name="sketch"').replace(DATA, b"")
    assert parse_multipart(body, TYPE, 1) == [Part("sketch", b"")]


def test_fields_of_examples_in_any_order() -> None:
    field = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    end = b"--b--\r\n"
    pairs = [(b"sketch", b"one"), (b"photo_id", b"a.png"), (b"sketch", b"two"), (b"photo_id", b"b.png")]
    limits = SupportLimits(4, 4)
    by_pair = b"".join(field % pair for pair in pairs) + EMPTY % b"photo" + end
    by_kind = b"".join(field % pair for pair in sorted(pairs)) + end
    for body in (by_pair, by_kind):
        examples = read_examples(Upload(body, TYPE), limits)
        assert examples == read_examples(Upload(by_pair, TYPE), limits)
        assert len(examples.sketches) == len(examples.photos) == 2
