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
from index_builder.artifact.thumbnails import THUMBNAIL_PX, make_thumbnail

__all__ = [
    "THUMBNAIL_PX",
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
    "make_thumbnail",
    "parse_condition",
]
