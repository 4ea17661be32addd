"""multipart/form-data that is already in memory: no temporary files, so a read-only root is enough.

Parts are cut at their boundaries, whatever stands before the first and behind the last one (RFC 2046, section 5.1.1),
and whether lines end as they should or, as hand-made bodies have them, with a line feed alone.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from python_multipart.multipart import parse_options_header

from service.errors import BatchTooLarge, BodyInvalid

_MOST_BOUNDARY_BYTES = 200  # RFC 2046 allows 70, and no client needs more
_MOST_HEADER_BYTES = 16_384
_MOST_HEADERS = 32
_MOST_EMPTY = 64  # file inputs without a file
_MOST_ALIKE = 1_000  # lines of a form that begin like its boundary, and go on
# The bytes of a part may be written in ASCII (RFC 7578, section 4.7, deprecates it; some clients still do).
_PLAIN_ENCODINGS = (b"", b"binary", b"8bit", b"7bit")


_BEHIND_BOUNDARY = re.compile(rb"(?P<last>--)?[ \t]*(?P<line>\r?\n|\Z)")
# As nearly every client writes them; everything else is parsed at length.
_USUAL_TYPE = re.compile(r"multipart/form-data; boundary=([\w'()+,./:=?-]+)", re.ASCII)
_USUAL_DISPOSITION = re.compile(rb'form-data; name="([^"\\\r\n]*)"(?:; filename="([^"\\\r\n]*)")?')


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form."""

    name: str
    data: bytes


def parse_multipart(body: bytes, content_type: str, max_parts: int) -> list[Part]:
    """The fields of a form, in order; file inputs in which no file was chosen are left out.

    Raises BodyInvalid; BatchTooLarge beyond `max_parts`.
    """
    usual = _USUAL_TYPE.fullmatch(content_type)
    boundary = usual[1].encode() if usual else parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise BodyInvalid("the Content-Type multipart/form-data names no boundary")
    if len(boundary) > _MOST_BOUNDARY_BYTES:
        raise BodyInvalid(f"the boundary of the multipart body has more than {_MOST_BOUNDARY_BYTES} characters")
    parts: list[Part] = []
    for number, raw in enumerate(_sections(body, boundary)):
        part = _part(*raw)
        if number == max_parts + _MOST_EMPTY or (part and len(parts) == max_parts):
            raise BatchTooLarge(f"the form has more than {max_parts} fields")
        parts += [part] if part else []
    return parts


def _sections(body: bytes, boundary: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Headers, content and line end of each part. Raises BodyInvalid."""
    alike = iter(range(_MOST_ALIKE))
    found = _delimiter(body, b"--" + boundary, 0, alike)
    if found is None:
        raise BodyInvalid("the multipart body is broken: the boundary that its Content-Type names is not in it")
    line = found.line
    while not found.is_last:
        # A part may be without headers: then its first line is the empty one.
        start = found.end - len(line)
        found = _delimiter(body, b"--" + boundary, start, alike)
        if found is None:
            raise BodyInvalid("the multipart body is truncated: its closing boundary is missing")
        # Content may end with a carriage return of its own where lines end with a line feed alone.
        end = found.start + (line == b"\n" and body[found.start] == 0x0D)
        blank = body.find(line + line, start, end)
        if blank < 0:
            raise BodyInvalid("the multipart body is broken: a part has no empty line behind its headers")
        yield body[start:blank], body[blank + 2 * len(line) : end], line


class _Delimiter(NamedTuple):
    start: int  # with the line end before it, which belongs to it
    end: int
    is_last: bool
    line: bytes


def _delimiter(body: bytes, mark: bytes, start: int, alike: Iterator[int]) -> _Delimiter | None:
    """The first line from `start` on that is `mark`. A regular expression would be compiled for each client's own.

    Of `alike` one is taken for each line that only begins like it. Raises BodyInvalid where none is left: no content
    may have such a line (RFC 2046, section 5.1.1).
    """
    if start == 0 and body.startswith(mark) and (rest := _BEHIND_BOUNDARY.match(body, len(mark))):
        return _Delimiter(0, rest.end(), rest["last"] is not None, rest["line"])
    begins = start - 1
    while (begins := body.find(b"\n" + mark, begins + 1)) >= 0:
        if rest := _BEHIND_BOUNDARY.match(body, begins + 1 + len(mark)):
            begins -= begins > start and body[begins - 1] == 0x0D
            return _Delimiter(begins, rest.end(), rest["last"] is not None, rest["line"])
        if next(alike, None) is None:
            raise BodyInvalid("the multipart body is broken: line after line begins like its boundary")
    return None


def _part(head: bytes, content: bytes, line: bytes) -> Part | None:
    """A part of a form; None for a file input in which no file was chosen. Raises BodyInvalid."""
    headers = _headers(head, line)
    disposition, options = _disposition(headers.get(b"content-disposition", b""))
    if disposition != b"form-data" or b"name" not in options:
        raise BodyInvalid("the multipart body is broken: a part has no Content-Disposition: form-data with a name")
    if not content and options.get(b"filename") == b"":
        return None
    encoding = headers.get(b"content-transfer-encoding", b"").lower()
    return Part(options[b"name"].decode("utf-8", "replace"), _decoded(content, encoding))


def _disposition(value: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    usual = _USUAL_DISPOSITION.fullmatch(value)
    if usual is None:
        return parse_options_header(value)
    name, filename = usual.groups()
    return b"form-data", {b"name": name} if filename is None else {b"name": name, b"filename": filename}


def _headers(head: bytes, line: bytes) -> dict[bytes, bytes]:
    if len(head) > _MOST_HEADER_BYTES or head.count(line) > _MOST_HEADERS:
        raise BodyInvalid("the multipart body is broken: the headers of a part are too long")
    # A line that begins with space goes on with the one before.
    if line + b" " in head or line + b"\t" in head:
        head = re.sub(re.escape(line) + rb"[ \t]+", b" ", head)
    headers = {}
    for entry in filter(None, head.split(line)):
        name, colon, value = entry.partition(b":")
        if not colon or not name.strip():
            raise BodyInvalid(f"the multipart body is broken: {entry[:40]!r} is no header of a part")
        headers[name.strip().lower()] = value.strip()
    return headers


def _decoded(content: bytes, encoding: bytes) -> bytes:
    if encoding in _PLAIN_ENCODINGS:
        return content
    if encoding == b"base64":
        try:
            return base64.b64decode(content)
        except binascii.Error as error:
            raise BodyInvalid(f"a part of the form is not the base64 that it claims to be: {error}") from error
    if encoding == b"quoted-printable":
        return quopri.decodestring(content)
    raise BodyInvalid(f"a part of the form has the Content-Transfer-Encoding {encoding[:40]!r}, which is not decoded")
