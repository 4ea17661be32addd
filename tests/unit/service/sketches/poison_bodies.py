"""Request bodies made to cost a parser far more than their bytes, seeded and distinct."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator

from tests.unit.images.poison_files import MAX_BYTES, poison_files

BOUNDARY = "poison"
_FORM = f"multipart/form-data; boundary={BOUNDARY}"
_JSON = "application/json"
Body = tuple[str, bytes]
"""The `Content-Type` and the bytes."""


def _size(rng: random.Random) -> int:
    return rng.choice((2**12, 2**16, 2**20, 9 * 2**20))


def _filled(start: bytes, unit: bytes, end: bytes, size: int) -> bytes:
    return start + unit * max(1, (size - len(start) - len(end)) // len(unit)) + end


def json_faults(rng: random.Random) -> Body:
    """Faults by the thousand, of every kind that a validator could collect."""
    start, unit, end = rng.choice(
        (
            (b'{"strokes":[', b"1,", b"1]}"),
            (b'{"points":[', b"{},", b"{}]}"),
            (b'{"strokes":[', b"[],", b"[]]}"),
            (b'{"drawing":[', b'[["a"]],', b"[]]}"),
            (b'{"items":[', b'{"strokes":[1]},', b"1]}"),
            (b'{"items":[', b"[],", b"{}]}"),
            (b'{"', b"k", b'":1}'),
            (b"{", b'"strokes":[],', b'"points":[]}'),
        )
    )
    number = b" %d " % rng.randrange(10**9)
    return _JSON, _filled(start, unit, number + end if end.startswith(b"]") else end + number, _size(rng))


def json_depth(rng: random.Random) -> Body:
    """Lists and objects within each other, closed or not."""
    opening, closing = rng.choice(((b"[", b"]"), (b'{"points":', b"}"), (b'[{"strokes":', b"}]")))
    count = min(_size(rng), 2**20) // len(opening)
    return _JSON, b'{"strokes":' + opening * count + b"%d" % rng.randrange(10**9) + closing * rng.choice(
        (0, count)
    ) + b"}"


def json_numbers(rng: random.Random) -> Body:
    """Numbers of a million digits, and drawings of as many points."""
    digits = str(rng.randrange(10**9)).encode()
    start, unit, end = rng.choice(
        (
            (b'{"points":[{"x":' + digits, b"9", b',"y":1}]}'),
            (b'{"points":[{"x":0.' + digits, b"3", b',"y":1}]}'),
            (b'{"points":[{"x":1e', b"9", digits + b',"y":1}]}'),
            (b'{"strokes":[[[' + digits + b",", b"1.5,", b"1],[1]]]}"),
            (b'{"points":[[' + digits + b",1],", b"[1,2],", b"[3,4]]}"),
            (b'{"strokes":[[[' + digits + b",1]],", b"[[1,2],[3,4]],", b"[[1,2]]]}"),
        )
    )
    return _JSON, _filled(start, unit, end, _size(rng))


def json_text(rng: random.Random) -> Body:
    """Text that is wide in memory, escaped, no UTF-8, or white space without end."""
    start, unit, end = rng.choice(
        (
            (b'{"image_base64":"\xf0\x9f\x98\x80', b"A", b'"}'),
            (b'{"image_base64":"', b"\\u0041", b'"}'),
            (b'{"image_base64":"data:;base64,', b"\xff", b'"}'),
            (b'{"image_base64":"', b"\\n", b'"}'),
            (b"{", b" \n", b'"points":[{"x":1,"y":1}]}'),
        )
    )
    return _JSON, _filled(start, unit, end, _size(rng)) + b" " * rng.randrange(10**5)


def json_image(rng: random.Random) -> Body:
    """A poison file in base64."""
    ((_, data),) = poison_files(1, rng.randrange(2**40), rng.randrange(1000))
    text = base64.b64encode(data[: 7 * 2**20]).decode()
    return _JSON, json.dumps({"image_base64": rng.choice(("", "data:image/png;base64,")) + text}).encode()


def form_parts(rng: random.Random) -> Body:
    """Parts by the thousand, empty or named at length."""
    name = rng.choice(("sketch", "photo", "x" * rng.randrange(1, 9_000)))
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{rng.randrange(10**9)}\r\n'.encode()
    return _FORM, _filled(b"", part, f"--{BOUNDARY}--\r\n".encode(), _size(rng))


def form_headers(rng: random.Random) -> Body:
    """A part with headers by the thousand, or one of megabytes."""
    line = rng.choice((b"A: b\r\n", b'Content-Disposition: form-data; name="sketch"\r\n', b"X" * 99 + b": y\r\n", b"a"))
    start = f"--{BOUNDARY}\r\n".encode() + b"Y%d: " % rng.randrange(10**9)
    return _FORM, _filled(start, line, f"\r\n\r\n1\r\n--{BOUNDARY}--\r\n".encode(), _size(rng))


def form_boundaries(rng: random.Random) -> Body:
    """What looks like a boundary again and again, and a form that does not end."""
    start = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="sketch"\r\n\r\n'.encode()
    almost = rng.choice((b"\r\n--poiso", b"\r\n-", b"\r", b"--poison", b"\r\n\r\n", b"\n--poison!"))
    return _FORM, _filled(start + b"%d" % rng.randrange(10**9), almost, b"", _size(rng))


def form_image(rng: random.Random) -> Body:
    """A poison file as a field."""
    ((_, data),) = poison_files(1, rng.randrange(2**40), rng.randrange(1000))
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="sketch"; filename="a"\r\n\r\n'.encode()
    return _FORM, head + data[: MAX_BYTES - 999] + f"\r\n--{BOUNDARY}--\r\n".encode()


KINDS: tuple[Callable[[random.Random], Body], ...] = (
    json_faults,
    json_depth,
    json_numbers,
    json_text,
    json_image,
    form_parts,
    form_headers,
    form_boundaries,
    form_image,
)


def poison_bodies(count: int, seed: int = 0, first: int = 0) -> Iterator[tuple[str, Body]]:
    """(kind, body) of bodies `first` to `first + count - 1`, the kinds by turns; the same for the same seed."""
    for number in range(first, first + count):
        make = KINDS[number % len(KINDS)]
        media_type, data = make(random.Random(f"{seed}/{number}"))
        yield make.__name__, (media_type, data[:MAX_BYTES])
