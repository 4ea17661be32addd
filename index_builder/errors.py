"""Typed errors of the builder; those of a finished index are in `index_builder.artifact.errors`.

InkseekError
└── BuildError
    ├── GalleryInvalid       the gallery (or the sketches) cannot be listed: no folder, broken manifest
    ├── ParquetUnavailable   a .parquet manifest, but pyarrow is not installed
    ├── GalleryEmpty         no photo could be indexed
    ├── BuildLocked          another build, or a rollback, is writing the same index
    └── RecallTooLow         the new index misses the recall gate; it was not published
"""

from __future__ import annotations

from models.errors import InkseekError


class BuildError(InkseekError):
    """An index could not be built or changed; what was published before is untouched."""


class GalleryInvalid(BuildError):
    """The gallery (or the sketches) cannot be listed: there is no folder, or the manifest is broken."""


class ParquetUnavailable(BuildError):
    """The manifest is a .parquet file, but pyarrow is not installed."""


class GalleryEmpty(BuildError):
    """No photo of the gallery could be indexed."""


class BuildLocked(BuildError):
    """Another build, or a rollback, is writing the same index."""


class RecallTooLow(BuildError):
    """The new index returns too few of the exact answers; it was not published."""

    def __init__(self, *, measured: float, required: float, queries: str) -> None:
        """`measured` and `required` in [0, 1]; `queries`: what it was measured on."""
        super().__init__(
            f"recall on {queries} is {measured:.4f}, {required:.4f} is required: the new index was not published"
        )
        self.measured = measured
        self.required = required
