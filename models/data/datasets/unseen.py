"""Categories that no experiment trains on, from any source, so that zero-shot figures stay what they say they are."""

from __future__ import annotations

import re
from collections.abc import Iterable

STANDARD_UNSEEN = (
    *("bat", "cabin", "cow", "dolphin", "door", "giraffe", "helicopter", "mouse", "pear", "raccoon", "rhinoceros"),
    *("saw", "scissors", "seagull", "skyscraper", "songbird", "sword", "tree", "wheelchair", "windmill", "window"),
)
"""The 21 test categories of Sketchy's ImageNet-disjoint split (Yelamarthi et al., ECCV 2018)."""

_OTHER_NAMES = {"sword": ("dagger",), "ape": ("gorilla", "orangutan"), "bee": ("honeybee",), "sheep": ("ewe", "ram")}


def names_unseen(name: str, categories: Iterable[str]) -> bool:
    """Whether a free-text name ("palm tree", "crossed swords") speaks of one of these categories ("cell_phone")."""
    words = [other for category in categories for other in (category, *_OTHER_NAMES.get(category, ()))]
    return any(re.search(rf"\b{re.escape(word.replace('_', ' '))}(s|es)?\b", name.lower()) for word in words)
