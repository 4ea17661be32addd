"""Errors of a vector store; who opens one for a published index turns them into that artefact's errors.

InkseekError
├── StoreUnreadable   a file of the store is missing, damaged, or contradicts what the store should hold
├── StoreUnavailable  the server that holds the vectors does not answer
└── MilvusUriInvalid  no address of a Milvus, or one with a password in it
"""

from __future__ import annotations

from models.errors import InkseekError


class StoreUnreadable(InkseekError):
    """A file of the store is missing, damaged, or contradicts the plan: `what`, `expected`, `actual` for machines."""

    def __init__(self, what: str, *, expected: object, actual: object) -> None:
        """All three are in the message as well."""
        super().__init__(f"{what}: expected {expected}, got {actual}")
        self.what = what
        self.expected = expected
        self.actual = actual


class StoreUnavailable(InkseekError):
    """The server that holds the vectors does not answer, or not in time; trying again may help."""


class MilvusUriInvalid(InkseekError):
    """What was given as the address of a Milvus is none, or has a password in it."""
