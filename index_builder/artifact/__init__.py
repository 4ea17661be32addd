"""The index format: its only reader and writer, and all that the service may import of `index_builder`."""

from index_builder.artifact.errors import (
    BundleMismatch,
    CategoryNotFound,
    FilterInvalid,
    IndexArtifactError,
    IndexCorrupt,
    IndexNotFound,
    IndexSchemaUnsupported,
    PhotoNotFound,
)
from index_builder.artifact.gallery_index import GalleryIndex, SearchHit
from index_builder.artifact.manifest import IndexManifest, MetadataField, RecallReport, SearchPlan
from index_builder.artifact.photo_filter import Condition, PhotoFilter, parse_condition
from index_builder.artifact.photo_store import PhotoRecord, Thumbnail

__all__ = [
    "BundleMismatch",
    "CategoryNotFound",
    "Condition",
    "FilterInvalid",
    "GalleryIndex",
    "IndexArtifactError",
    "IndexCorrupt",
    "IndexManifest",
    "IndexNotFound",
    "IndexSchemaUnsupported",
    "MetadataField",
    "PhotoFilter",
    "PhotoNotFound",
    "PhotoRecord",
    "RecallReport",
    "SearchHit",
    "SearchPlan",
    "Thumbnail",
    "parse_condition",
]
