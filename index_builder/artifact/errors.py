"""Typed errors of a gallery index.

InkseekError
└── IndexArtifactError
    ├── IndexNotFound            no index, no published version, or no version of that name
    ├── IndexCorrupt             a file is missing, changed, or contradicts the manifest
    ├── IndexSchemaUnsupported   written by another version of the format
    ├── BundleMismatch           the vectors were made by another bundle
    ├── PhotoNotFound            no photo with that id (or row)
    ├── CategoryNotFound         no photo has that category
    └── FilterInvalid            a condition that cannot be parsed, or does not fit the gallery's metadata
"""

from __future__ import annotations

from collections.abc import Sequence

from models.errors import InkseekError
from models.schema_versions import unreadable


class IndexArtifactError(InkseekError):
    """A gallery index cannot be used, or cannot answer a query."""


class IndexNotFound(IndexArtifactError):
    """No index, no published version, or no version of that name."""


class _Mismatch(IndexArtifactError):
    """Two values that must be equal differ: `what`, `expected` and `actual` are kept for machines."""

    def __init__(self, what: str, *, expected: object, actual: object, advice: str = "") -> None:
        super().__init__(f"{what}: expected {expected}, got {actual}" + (f"; {advice}" if advice else ""))
        self.what = what
        self.expected = expected
        self.actual = actual


class IndexCorrupt(_Mismatch):
    """A file is missing, changed, or contradicts the manifest."""


class IndexSchemaUnsupported(IndexArtifactError):
    """The manifest's schema version is not one that this release reads; `what`, `actual` and `readable` say which."""

    def __init__(self, what: str, *, actual: object, readable: Sequence[int]) -> None:
        """`what` has the version `actual`."""
        super().__init__(unreadable(what, actual, readable))
        self.what = what
        self.actual = actual
        self.readable = tuple(readable)


class BundleMismatch(_Mismatch):
    """The index holds vectors of another bundle; scores between the two would mean nothing."""


class PhotoNotFound(IndexArtifactError):
    """No photo with that id or row."""


class CategoryNotFound(IndexArtifactError):
    """No photo of the gallery has that category."""


class FilterInvalid(IndexArtifactError):
    """A condition that cannot be parsed, or that does not fit the gallery's metadata."""
