"""multipart/form-data that is already in memory: no temporary files, so a read-only root is enough."""

from __future__ import annotations

from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from service.errors import BatchTooLarge, BodyInvalid


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form."""

    name: str
    data: bytes


def parse_multipart(body: bytes, content_type: str, max_parts: int) -> list[Part]:
    """The fields of a form, in order. Raises BodyInvalid; BatchTooLarge beyond `max_parts`."""
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise BodyInvalid("the Content-Type multipart/form-data names no boundary")
    collector = _Collector(max_parts)
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": collector.begin_part,
                "on_header_begin": collector.begin_header,
                "on_header_field": collector.header_name,
                "on_header_value": collector.header_value,
                "on_header_end": collector.end_header,
                "on_part_data": collector.data,
                "on_part_end": collector.end_part,
                "on_end": collector.end,
            },
        )
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise BodyInvalid(f"the multipart body is broken: {error}") from error
    # `finalize` accepts a body that stops in the middle.
    if not collector.ended:
        raise BodyInvalid("the multipart body is truncated: its closing boundary is missing")
    return collector.parts


class _Collector:
    """Turns the parser's events into parts."""

    def __init__(self, max_parts: int) -> None:
        self.parts: list[Part] = []
        self.ended = False
        self._max_parts = max_parts

    def begin_part(self) -> None:
        if len(self.parts) == self._max_parts:
            raise BatchTooLarge(f"the form has more than {self._max_parts} fields")
        self._field = ""
        self._chunks: list[bytes] = []

    def begin_header(self) -> None:
        self._header_name = b""
        self._header_value = b""

    # The parser may hand over names, values and data in several pieces.
    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def end_header(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            options = parse_options_header(self._header_value)[1]
            self._field = options.get(b"name", b"").decode("utf-8", "replace")

    def data(self, data: bytes, start: int, end: int) -> None:
        self._chunks.append(data[start:end])

    def end_part(self) -> None:
        self.parts.append(Part(self._field, b"".join(self._chunks)))

    def end(self) -> None:
        self.ended = True
