"""Which schema versions of an artefact are read, and the one sentence that every reader has for the others.

Imports nothing of ours, so that the reader of each format can say the same.
"""

from __future__ import annotations

from collections.abc import Sequence


def is_readable(version: object, readable: Sequence[int]) -> bool:
    """Whether an artefact that says it has `version` is read. JSON's true, which equals 1 in Python, is no version."""
    return version in readable and not isinstance(version, bool)


def unreadable(what: str, version: object, readable: Sequence[int]) -> str:
    """The message for any other: `what` it is, which version it has, which are read, and what to do.

    A release of Inkseek never guesses at what a later one wrote, and leaves it as it is.
    """
    first, last = readable[0], readable[-1]
    reads = f"version {first}" if first == last else f"version {first} to {last}"
    return f"{what} has schema version {version!r}; this release reads {reads}: use the release that wrote it"
