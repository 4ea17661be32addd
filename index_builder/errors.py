"""Typed errors of the builder; those of a finished index are in `index_builder.artifact.errors`.

InkseekError
└── BuildError
    ├── GalleryInvalid       the gallery (or the sketches) cannot be listed: no folder, broken manifest
    ├── SourceUnavailable    the photos' store cannot be read: credentials, network, a client that is not installed
    ├── ClusterUnavailable   no Ray, no cluster, or one that loses the same work again and again
    ├── ParquetUnavailable   a .parquet manifest, but pyarrow is not installed
    ├── GalleryEmpty         no photo could be indexed
    ├── BuildLocked          another build, or a rollback, is writing the same index
    ├── TooManyDeleted       an update would lose more photos than may leave at once; it was not published
    ├── MilvusNotNamed       a version in Milvus is to be written or published, and no address is given
    ├── ChangesUnfit         changes of a service that do not follow on what is published
    └── RecallTooLow         the new index misses the recall gate; it was not published
"""

from __future__ import annotations

from models.errors import InkseekError


class BuildError(InkseekError):
    """An index could not be built or changed; what was published before is untouched."""


class GalleryInvalid(BuildError):
    """The gallery (or the sketches) cannot be listed: there is no folder, or the manifest is broken."""


class SourceUnavailable(BuildError):
    """The photos' store cannot be read: no credentials, no network, no such bucket, or its client is not installed."""


class ClusterUnavailable(BuildError):
    """There is no Ray or no cluster, or it loses the same work again and again."""


class ParquetUnavailable(BuildError):
    """The manifest is a .parquet file, but pyarrow is not installed."""


class GalleryEmpty(BuildError):
    """No photo of the gallery could be indexed."""


class BuildLocked(BuildError):
    """Another build, or a rollback, is writing the same index."""


class TooManyDeleted(BuildError):
    """An update would lose more of the published photos than may leave at once; it was not published."""

    def __init__(self, *, deleted: int, published: int, allowed: float) -> None:
        """`deleted` of the `published` photos would leave; `allowed`: the share that may."""
        super().__init__(
            f"{deleted:,} of {published:,} published photos ({deleted / published:.0%}) are gone from the gallery or "
            f"can no longer be read, and at most {allowed:.0%} may leave in one update: nothing was changed. Is the "
            "gallery complete (a mount, a listing)? If they were deleted on purpose: --max-deleted 100%"
        )
        self.deleted = deleted
        self.published = published
        self.allowed = allowed


class MilvusNotNamed(BuildError):
    """A version whose vectors are in Milvus is to be written or published, and nothing says where that answers."""


class ChangesUnfit(BuildError):
    """Changes of a service that cannot be sealed into the published version: they do not follow on it, or fit it."""


class RecallTooLow(BuildError):
    """The new index returns too few of the exact answers; it was not published."""

    def __init__(self, *, measured: float, required: float, queries: str) -> None:
        """`measured` and `required` in [0, 1]; `queries`: what it was measured on."""
        super().__init__(
            f"recall on {queries} is {measured:.4f}, {required:.4f} is required: the new index was not published"
        )
        self.measured = measured
        self.required = required
