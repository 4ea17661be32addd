"""Which versions and segments stay on disk: nothing that a reader uses, or a version names, is ever removed."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from index_builder.artifact import bundle_versions, layout
from index_builder.artifact.errors import IndexArtifactError
from index_builder.artifact.segments.hold import removable
from index_builder.artifact.verification import read_manifest
from index_builder.publish import published_version
from index_builder.stores.choice import MilvusCollections
from index_builder.stores.errors import StoreUnavailable

_DISCARDED_PREFIX = ".discarded-"


def prune(out_dir: Path, keep: int, *, in_use: str | None) -> list[str]:
    """Remove all but the `keep` latest versions, the published one, `in_use` and those that somebody reads.

    `in_use`: the version published until now. Services read it until they notice the new one, so it stays one build
    longer. Of the two bundles that built the latest versions, each keeps the one that services of it start with.
    Then segments go that no version names any more. Returns the names of the removed versions.
    """
    versions = layout.list_versions(out_dir)
    kept = {*versions[-keep:], published_version(out_dir), in_use, *bundle_versions.kept_for_bundles(out_dir)}
    removed = []
    for version in versions:
        folder = layout.versions_dir(out_dir) / version
        if version in kept:
            continue
        with removable(folder) as unread:
            if unread:
                _remove(folder)
                removed.append(version)
    collect_segments(out_dir)
    return removed


def collect_segments(out_dir: Path) -> list[str]:
    """Remove the segments that no version names; returns their names. Call with the index locked for writing.

    As long as the manifest of any version cannot be read, none is removed.
    """
    folder = layout.segments_dir(out_dir)
    names = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
    try:
        for version in layout.list_versions(out_dir):
            manifest = read_manifest(layout.versions_dir(out_dir) / version)
            names -= {segment.name for segment in manifest.segments}
    except IndexArtifactError:
        return []
    removed = sorted(name for name in names if not name.startswith("."))
    for name in removed:
        _remove(folder / name)
    return removed


def collect_collections(out_dir: Path, collections: MilvusCollections | None) -> None:
    """Delete the collections and partitions that no version names, in Milvus; as `collect_segments`.

    What cannot be deleted now, the next build deletes.
    """
    if collections is None:
        return
    used: dict[str, set[str]] = {}
    with contextlib.suppress(IndexArtifactError, StoreUnavailable):
        for version in layout.list_versions(out_dir):
            manifest = read_manifest(layout.versions_dir(out_dir) / version)
            if manifest.collection is not None:
                used.setdefault(manifest.collection, set()).update(entry.name for entry in manifest.segments)
        collections.keep(used)


def _remove(folder: Path) -> None:
    # Renamed first: a removal that is cut short leaves nothing incomplete under a name that means something.
    discarded = folder.rename(folder.with_name(f"{_DISCARDED_PREFIX}{folder.name}"))
    shutil.rmtree(discarded, ignore_errors=True)
