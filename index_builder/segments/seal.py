"""A staged folder of photos and vectors becomes an immutable segment under a name of its own."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from index_builder.artifact import layout
from index_builder.artifact.errors import IndexArtifactError
from index_builder.artifact.manifest import MetadataField, SegmentEntry
from index_builder.artifact.segments.segment import SEGMENT, SegmentManifest, read_segment, segment_name
from index_builder.artifact.verification import check_segment
from index_builder.stores.choice import store_files
from index_builder.stores.plan import SearchPlan
from models.atomic_files import sync_path


def seal(
    staging: Path, *, bundle_id: str, dim: int, count: int, fields: Sequence[MetadataField], search: SearchPlan
) -> SegmentEntry:
    """Write segment.json and rename the folder to the segment's name, beside where it is.

    Equal content has an equal name: where such a segment is there and intact, it stays. Everything is on the disk
    before the rename. Raises OSError.
    """
    names = (layout.PHOTOS, *store_files(search))
    manifest = SegmentManifest(
        bundle_id=bundle_id,
        embedding_dim=dim,
        count=count,
        metadata_fields=tuple(fields),
        factory=search.factory,
        files={name: layout.hash_file(staging / name) for name in names},
    )
    data = manifest.to_bytes()
    (staging / SEGMENT).write_bytes(data)
    sync_path(staging / SEGMENT)
    sync_path(staging)
    name = segment_name(data)
    folder = staging.with_name(name)
    if folder.is_dir():
        if _is_intact(folder):
            shutil.rmtree(staging)
        else:
            # A build repairs what is damaged. Who reads the damaged files still has them open.
            shutil.rmtree(folder.rename(folder.with_name(f".discarded-{name}")), ignore_errors=True)
    if not folder.is_dir():
        staging.rename(folder)
    sync_path(folder.parent)
    return SegmentEntry(name=name, count=count, live=count, search=search, bytes=manifest.total_bytes)


def _is_intact(folder: Path) -> bool:
    try:
        check_segment(folder, read_segment(folder))
    except IndexArtifactError:
        return False
    return True
