"""Versions of an index on disk: published and rolled back by one atomic swap of the pointer."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

from index_builder.artifact import bundle_versions, layout
from index_builder.artifact.errors import IndexCorrupt, IndexNotFound
from index_builder.artifact.manifest import IndexManifest, manifest_digest
from index_builder.artifact.staging import locked
from index_builder.artifact.verification import check_hashes, read_manifest
from index_builder.errors import MilvusNotNamed
from index_builder.stores.choice import MilvusCollections, MilvusServer
from models.atomic_files import sync_path, write_json


def publish(out_dir: Path, staging: Path, manifest: IndexManifest, collections: MilvusCollections | None = None) -> str:
    """Write the manifest, rename the folder, swap the alias in Milvus and the pointer; returns the new version's name.

    Everything is on the disk before the rename, and the rename before the swap: a crash leaves the old version or the
    new one published, and that one complete. Readers go by the pointer, whose version names its collection; the alias
    is for other clients of the Milvus. Raises OSError, StoreUnavailable.
    """
    data = manifest.to_bytes()
    path = staging / layout.MANIFEST
    path.write_bytes(data)
    sync_path(path)
    sync_path(staging)
    # Above every version, not only the published one: after a rollback, a name must not come twice.
    sequence = max((layout.version_sequence(name) for name in layout.list_versions(out_dir)), default=0) + 1
    version = layout.version_name(sequence, manifest_digest(data))
    staging.rename(layout.versions_dir(out_dir) / version)
    sync_path(layout.versions_dir(out_dir))
    _point(out_dir, version, manifest, collections)
    return version


def published_version(out_dir: Path) -> str | None:
    """The version that readers load; None when none is published, or the pointer is damaged."""
    try:
        return layout.current_version(out_dir)
    except (IndexNotFound, IndexCorrupt):
        return None


def rollback(out_dir: Path, to: str | None = None, milvus: MilvusServer | None = None) -> tuple[str, str]:
    """Publish the version before the current one, or the named one; returns (old, new).

    The target is checked byte by byte first, and its collection in `milvus` row by row. Raises IndexNotFound,
    IndexCorrupt, IndexSchemaUnsupported, BuildLocked, MilvusNotNamed, StoreUnavailable.
    """
    if not layout.versions_dir(out_dir).is_dir():
        raise IndexNotFound(f"no index in {out_dir}")
    with locked(out_dir):
        # A damaged pointer is what a rollback to a named version repairs.
        current = layout.current_version(out_dir) if to is None else published_version(out_dir) or "unknown"
        target = to or _version_before(out_dir, current)
        folder = layout.version_dir(out_dir, target)
        # Hours of use lie ahead of a rollback that nobody watches: better slow than to a damaged version.
        manifest = read_manifest(folder)
        check_hashes(folder, manifest)
        with gallery_collections(out_dir, milvus, wanted=manifest.collection is not None) as collections:
            _check_collection(manifest, collections)
            _point(out_dir, target, manifest, collections)
    return current, target


@contextlib.contextmanager
def gallery_collections(
    out_dir: Path, milvus: MilvusServer | None, *, wanted: bool = True
) -> Iterator[MilvusCollections | None]:
    """The gallery's collections, while the index is locked; None where none are `wanted`.

    Raises MilvusNotNamed, StoreUnavailable.
    """
    if not wanted:
        yield None
        return
    if milvus is None:
        raise MilvusNotNamed("the version's vectors belong in Milvus: give its address, --milvus-uri")
    collections = MilvusCollections(milvus, _alias(out_dir))
    try:
        yield collections
    finally:
        collections.close()


def _alias(out_dir: Path) -> str:
    """The alias of the gallery's collections, the same from the first build on."""
    path = out_dir / layout.MILVUS
    try:
        alias = json.loads(path.read_text(encoding="utf-8"))["alias"]
    except FileNotFoundError:
        # Not the folder's name: galleries of several machines may share a Milvus, and delete what is their own alone.
        alias = f"inkseek_{uuid.uuid4().hex[:12]}"
        write_json(path, {"alias": alias})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IndexCorrupt(path.name, expected="the alias of the gallery", actual=str(error)) from error
    return str(alias)


def _point(out_dir: Path, version: str, manifest: IndexManifest, collections: MilvusCollections | None) -> None:
    if collections is not None and manifest.collection is not None:
        collections.point(manifest.collection)
    bundle_versions.point(out_dir, version)


def _check_collection(manifest: IndexManifest, collections: MilvusCollections | None) -> None:
    name, rows = manifest.collection, {entry.name: entry.count for entry in manifest.segments}
    if collections is not None and name is not None and not collections.holds(name, rows):
        raise IndexCorrupt(f"collection {name}", expected="every vector of the version", actual="others, or none")


def _version_before(out_dir: Path, current: str) -> str:
    sequence = layout.version_sequence(current)
    earlier = [name for name in layout.list_versions(out_dir) if layout.version_sequence(name) < sequence]
    if not earlier:
        raise IndexNotFound(f"{out_dir} has no version before {current}")
    return earlier[-1]
