"""Sources without what only their readers need: comments, indentation, long private names. Nothing is parsed.

Each rule is one that holds for text of any kind, or leaves alone what it cannot be sure of.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from service.page_build.errors import PageInvalid

_BLOCK_COMMENT = re.compile(r"^[ \t]*/\*(?:(?!\*/).)*\*/[ \t]*\n", re.MULTILINE | re.DOTALL)
_LINE_COMMENT = re.compile(r"^[ \t]*//.*\n", re.MULTILINE)
_INDENT_OR_EMPTY = re.compile(r"^[ \t]+|^\n", re.MULTILINE)
_CAST = re.compile(r"/\*\* @type [^\"'`\n]*?\*/ (?=[\w({\[])")
# With a quote behind it, it may stand within a string, and stays.
_END_COMMENT = re.compile(r"[ \t]+//[ \t][^\"'`\n]*$", re.MULTILINE)
# As the sources are formatted: the first line ends with the brace that the next brace at a line's beginning closes.
_FUNCTION = re.compile(r"^export (?:async )?function\*? (\w+)\([^\n]*\{\n(?:(?!\}).*\n)*\}\n", re.MULTILINE)
_PRIVATE = re.compile(r"#([A-Za-z_]\w*)")
# A field or a method begins its line; everything else that names it has an object before it.
_PRIVATE_IN_CLASS = re.compile(r"(?:(?<=\.)|^(?:static )?(?:async )?(?:[gs]et )?)#([A-Za-z_]\w*)", re.MULTILINE)
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def plain_script(text: str, name: str) -> str:
    """A module without its comments and indentation, and with short private names. Raises PageInvalid, with `name`."""
    text = _LINE_COMMENT.sub("", _BLOCK_COMMENT.sub("", text))
    text = _END_COMMENT.sub("", _CAST.sub("", text))
    for number, line in enumerate(text.splitlines(), 1):
        if line.count("`") % 2:
            raise PageInvalid(f"{name}: a template literal goes on after line {number}, and would lose its indentation")
    return short_private_names(_INDENT_OR_EMPTY.sub("", text))


def without_functions(text: str, names: Collection[str]) -> str:
    """A module, with its indentation still, without those of its exported functions; one in another form stays."""
    return _FUNCTION.sub(lambda match: "" if match[1] in names else str(match[0]), text)


def plain_style(text: str) -> str:
    """A style sheet without the comments that have lines of their own, indentation and empty lines."""
    return _INDENT_OR_EMPTY.sub("", _BLOCK_COMMENT.sub("", text))


def plain_document(text: str) -> str:
    """An HTML document without indentation and empty lines, which mean nothing outside of <pre> and <textarea>."""
    return _INDENT_OR_EMPTY.sub("", text)


def short_private_names(text: str) -> str:
    """A module without indentation whose private names have one or two letters.

    A name stays where it is written in another form as well, such as a selector within a string.
    """
    known = list(dict.fromkeys(_PRIVATE_IN_CLASS.findall(text)))
    elsewhere = set(_PRIVATE.findall(_PRIVATE_IN_CLASS.sub("", text)))
    long = [name for name in known if name not in elsewhere]
    taken = elsewhere | set(known)
    free = (one for one in _short_names() if one not in taken)
    short: dict[str, str] = dict(zip(long, free, strict=False))

    def shortened(match: re.Match[str]) -> str:
        return str(match[0]).removesuffix(match[1]) + short.get(match[1], str(match[1]))

    return _PRIVATE_IN_CLASS.sub(shortened, text)


def _short_names() -> list[str]:
    return [*_LETTERS, *(first + second for first in _LETTERS for second in _LETTERS)]
