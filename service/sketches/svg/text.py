"""The text of an SVG document: its encoding found, its CSS variables put in."""

from __future__ import annotations

import codecs
import re

from models.images import ImageTooLarge, ImageUnreadable, ImageUnsupported

_ENCODINGS = {"utf-8", "utf-16", "utf-16-le", "utf-16-be", "ascii", "iso8859-1", "iso8859-15", "cp1252"}
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*?\?>")
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]{1,40})["']""")
_DEFINITION = re.compile(r"(--[\w-]{1,100})\s*:\s*([^;{}<>\"']{1,200})")
# The innermost calls first: a fallback may hold another call.
_CALL = re.compile(r"var\(\s*(--[\w-]{1,100})\s*(?:,\s*([^()]{0,200}))?\)")
_MAX_ROUNDS = 4


def looks_like_svg(data: bytes) -> bool:
    """Whether the bytes start like markup, in any encoding of it; no raster format does."""
    start = data[:512].removeprefix(codecs.BOM_UTF8)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        start = start[2:]
    return start.replace(b"\0", b"").lstrip().startswith(b"<")


def decoded_text(data: bytes) -> str:
    """The document without its XML declaration. Raises ImageUnreadable, ImageUnsupported."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _decode(data[len(mark) :], encoding)
    if data[:2] in (b"<\0", b"\0<"):
        return _decode(data, "utf-16-le" if data[0] else "utf-16-be")
    declared = _DECLARED.match(data)
    if declared is None:
        try:
            return _decode(data, "utf-8")
        except ImageUnreadable:  # what old editors wrote without saying so; only names and texts have such letters
            return _decode(data, "cp1252")
    try:
        encoding = codecs.lookup(declared[1].decode()).name
    except LookupError:
        encoding = "unknown"
    if encoding not in _ENCODINGS:
        raise ImageUnsupported(f"the SVG's encoding {declared[1].decode()!r} is not read; save it as UTF-8")
    return _decode(data, "utf-8" if encoding.startswith("utf-16") else encoding)


def without_variables(text: str, max_characters: int) -> str:
    """The document with each `var(--name, fallback)` replaced by its value; renderers of SVG alone know none.

    Raises ImageUnsupported for one without a value, ImageTooLarge.
    """
    if "var(" not in text:
        return text
    # The last definition counts, as in a style sheet whose rules are equally specific.
    values = {name: value.strip() for name, value in _DEFINITION.findall(text)}

    def value_of(call: re.Match[str]) -> str:
        value: str | None = values.get(call[1], call[2])
        if value is None:
            raise ImageUnsupported(f"the SVG uses the CSS variable {call[1]}, which it gives no value")
        return value.strip()

    for _ in range(_MAX_ROUNDS):
        if "var(" not in text:
            return text
        text = _CALL.sub(value_of, text)
        if len(text) > max_characters:
            raise ImageTooLarge(f"the SVG has more than {max_characters:,} characters once its variables are put in")
    raise ImageUnsupported("the SVG's CSS variables refer to each other, deeper than is resolved")


def _decode(data: bytes, encoding: str) -> str:
    try:
        return _DECLARATION.sub("", data.decode(encoding), count=1)
    except UnicodeDecodeError as error:
        raise ImageUnreadable(f"the SVG cannot be read as {encoding}: {error.reason} at byte {error.start}") from error
