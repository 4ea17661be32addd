"""The index format: its only reader and writer, and all that the service may import of `index_builder`."""

from index_builder.artifact.bundle_versions import ServableVersion, servable_version
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
from index_builder.artifact.filters.conditions import AnyOf, Clause, Condition, PhotoFilter, parse_condition
from index_builder.artifact.filters.fields import meets
from index_builder.artifact.filters.words import parse_words, photo_words
from index_builder.artifact.gallery_index import GalleryIndex
from index_builder.artifact.look_alikes import groups_of
from index_builder.artifact.manifest import IndexManifest, MetadataField, OnlineMark, RecallReport
from index_builder.artifact.originals import Originals
from index_builder.artifact.photos.record import PICTURE_SUFFIXES, MetadataValue, PhotoRecord, Thumbnail, stored_id
from index_builder.artifact.photos.thumbnails import THUMBNAIL_PX, difference_hash, make_thumbnail
from index_builder.artifact.segments.checked_files import CheckedFiles
from index_builder.artifact.segments.online_changes import OnlineChanges, write_changes
from index_builder.artifact.staging import clear_staging, locked
from index_builder.artifact.transfer.contents import VersionContents, contents_of, is_place
from index_builder.artifact.transfer.incoming import IncomingIndex
from index_builder.artifact.transfer.outgoing import OutgoingIndex, outgoing_index
from index_builder.errors import BuildError, BuildLocked
from index_builder.files.originals import StoredOriginal
from index_builder.stores.choice import MilvusServer, SearchDevice, check_milvus_uri, open_device
from index_builder.stores.errors import MilvusUriInvalid, StoreUnavailable
from index_builder.stores.exact import ExactStore
from index_builder.stores.hits import SearchHit
from index_builder.stores.plan import SearchPlan
from index_builder.stores.products import inner_products
from index_builder.stores.ranking import left_out, top_k

__all__ = [
    "PICTURE_SUFFIXES",
    "THUMBNAIL_PX",
    "AnyOf",
    "BuildError",
    "BuildLocked",
    "BundleMismatch",
    "CategoryNotFound",
    "CheckedFiles",
    "Clause",
    "Condition",
    "ExactStore",
    "FilterInvalid",
    "GalleryIndex",
    "IncomingIndex",
    "IndexArtifactError",
    "IndexCorrupt",
    "IndexManifest",
    "IndexNotFound",
    "IndexSchemaUnsupported",
    "MetadataField",
    "MetadataValue",
    "MilvusServer",
    "MilvusUriInvalid",
    "OnlineChanges",
    "OnlineMark",
    "Originals",
    "OutgoingIndex",
    "PhotoFilter",
    "PhotoNotFound",
    "PhotoRecord",
    "RecallReport",
    "SearchDevice",
    "SearchHit",
    "SearchPlan",
    "ServableVersion",
    "StoreUnavailable",
    "StoredOriginal",
    "Thumbnail",
    "VersionContents",
    "check_milvus_uri",
    "clear_staging",
    "contents_of",
    "difference_hash",
    "groups_of",
    "inner_products",
    "is_place",
    "left_out",
    "locked",
    "make_thumbnail",
    "meets",
    "open_device",
    "outgoing_index",
    "parse_condition",
    "parse_words",
    "photo_words",
    "servable_version",
    "stored_id",
    "top_k",
    "write_changes",
]
