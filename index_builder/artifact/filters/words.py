"""Words that photos are narrowed by: how text is cut into words, and which photos have those of a search.

Letters are compared without case and accents. Ids, categories and metadata are cut by the same rules, once for the
index and each time for what changed online, so that both are found alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

BOUNDARY = "\u00b6"
"""Stands between the fields of a photo, which no phrase goes across: no word of a search is this."""

_WORD = re.compile(r"[^\W_]+")
_QUOTED_OR_PLAIN = re.compile(r'"([^"]*)"|([^\s"]+)')


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that follow each other; `is_prefix`: the last of them may go on."""

    words: tuple[str, ...]
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class WordFilter:
    """Photos that have every phrase somewhere, each within one field."""

    phrases: tuple[Phrase, ...]

    def meets(self, words: tuple[str, ...]) -> bool:
        """Whether a photo of these words (`photo_words`) has every phrase."""
        return all(_has(words, phrase) for phrase in self.phrases)


def parse_words(text: str) -> WordFilter | None:
    """Reads `red mug`, `"red mug"`, `t-shirt`; None where there is no word in it. Any text is read somehow.

    The last word may go on, unless it stands in quotes. A quote that is never closed is none.
    """
    phrases: list[Phrase] = []
    for match in _QUOTED_OR_PLAIN.finditer(text):
        is_quoted = match[1] is not None
        if words := words_of(match[1] if is_quoted else match[2]):
            phrases.append(Phrase(words, not is_quoted))
    # Of those that are not quoted the last one alone is begun and maybe not yet written to its end.
    kept = [Phrase(phrase.words, phrase.is_prefix and phrase is phrases[-1]) for phrase in phrases]
    return WordFilter(tuple(kept)) if kept else None


def cut(text: str) -> tuple[str, ...]:
    """The words of a text, without case and accents: letters and digits that stand together."""
    if text.isascii():
        return tuple(_WORD.findall(text.lower()))
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return tuple(_WORD.findall("".join(letter for letter in plain if not unicodedata.combining(letter))))


words_of = lru_cache(maxsize=16_384)(cut)
"""`cut`, which keeps the words of texts that come again."""


def photo_words(photo_id: str, category: str, metadata: Iterable[object], *, again: bool = True) -> tuple[str, ...]:
    """The words of a photo, with BOUNDARY behind each field; a list's members are fields, true and false no words.

    `again`: whether the photo will be asked for again, so that the words of its id are worth their memory.
    """
    words = [*(words_of if again else cut)(photo_id), BOUNDARY]
    for value in (category, *metadata):
        for member in value if isinstance(value, (tuple, list)) else (value,):
            if member is not None and not isinstance(member, bool):
                words += (*words_of(str(member)), BOUNDARY)
    return tuple(words)


def _has(words: tuple[str, ...], phrase: Phrase) -> bool:
    *whole, last = phrase.words
    for start in range(len(words) - len(whole)):
        end = start + len(whole)
        ends_so = words[end].startswith(last) if phrase.is_prefix else words[end] == last
        if ends_so and list(words[start:end]) == whole:
            return True
    return False
