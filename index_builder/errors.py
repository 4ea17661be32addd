"""Typed errors of the builder; those of a finished index are in `index_builder.artifact.errors`.

InkseekError
└── BuildError
    ├── GalleryInvalid       the gallery (or the sketches) cannot be read as such: no folder, broken manifest
    ├── ParquetUnavailable   a .parquet manifest, but pyarrow is not installed
    ├── GalleryEmpty         not one photo could be indexed
    ├── BuildLocked          another build, or a rollback, is at work on the same index
    └── RecallTooLow         the new index finds too little; it was not published
"""

from __future__ import annotations

from models.errors import InkseekError


class BuildError(InkseekError):
    """An index could not be built or changed; what was published before is untouched."""


class GalleryInvalid(BuildError):
    """The gallery (or the sketches) cannot be read as such."""


class ParquetUnavailable(BuildError):
    """A .parquet manifest was given, but pyarrow is not installed."""


class GalleryEmpty(BuildError):
    """Not one photo could be indexed."""


class BuildLocked(BuildError):
    """Another build, or a rollback, is at work on the same index."""


class RecallTooLow(BuildError):
    """The new index finds too little of what exact search finds; it was not published."""

    def __init__(self, *, measured: float, required: float, queries: str) -> None:
        """`measured` and `required` in [0, 1]; `queries`: what it was measured on."""
        super().__init__(
            f"recall on {queries} is {measured:.4f}, {required:.4f} is required: the new index was not published"
        )
        self.measured = measured
        self.required = required
