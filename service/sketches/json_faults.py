"""What is wrong with a JSON document, in the words of the API: the parser's own are those of its types."""

from __future__ import annotations

import re

import msgspec

_AT = re.compile(r" - at `\$(.*)`$")
_EXPECTED = re.compile(r"^Expected `([^`]+)`, got `([^`]+)`$")
_UNKNOWN = re.compile(r"^Object contains unknown field `(.*)`$", re.DOTALL)
_MISSING = re.compile(r"^Object missing required field `(.*)`$")
_WORDS = {
    "array": "a list",
    "object": "an object",
    "float": "a number",
    "int": "a number",
    "str": "text",
    "bool": "true or false",
    "null": "null",
}
_MOST_CHARACTERS = 80  # of a name that the client chose


def fault_of(error: msgspec.ValidationError) -> tuple[str, str]:
    """Where (`.0.points.1.x`, or empty for the document itself) and what."""
    text = str(error)
    path = _AT.search(text)
    where = path[1].replace("[", ".").replace("]", "") if path else ""
    text = _AT.sub("", text)
    if expected := _EXPECTED.match(text):
        return where, f"{_words(expected[1])} is expected, not {_words(expected[2])}"
    if unknown := _UNKNOWN.match(text):
        return where, f"there is no key {unknown[1][:_MOST_CHARACTERS]!r}"
    if missing := _MISSING.match(text):
        return where, f"the key {missing[1]!r} is missing"
    return where, text


def _words(types: str) -> str:
    names = dict.fromkeys(_WORDS.get(name, name) for name in types.split(" | ") if name != "null" or types == "null")
    return " or ".join(names)
