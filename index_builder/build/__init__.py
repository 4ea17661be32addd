"""Photos to a published index: list, embed, index, measure, publish."""

from index_builder.build.pipeline import build_index, compact_index, seal_index, update_index
from index_builder.build.request import (
    DECODE_BYTES,
    MAX_DELETED,
    BuildRequest,
    BuildResult,
    Progress,
    Stage,
    StoreChoice,
)

__all__ = [
    "DECODE_BYTES",
    "MAX_DELETED",
    "BuildRequest",
    "BuildResult",
    "Progress",
    "Stage",
    "StoreChoice",
    "build_index",
    "compact_index",
    "seal_index",
    "update_index",
]
