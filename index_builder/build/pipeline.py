"""Builds, updates and compactions of an index, in the order of their stages, and what happens where one fails."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from index_builder.artifact import GalleryIndex, layout
from index_builder.artifact.errors import IndexArtifactError
from index_builder.artifact.manifest import GallerySource, IndexManifest, MetadataField
from index_builder.artifact.staging import clear_staging, locked, new_staging
from index_builder.artifact.verification import read_manifest as read_index
from index_builder.build.request import BuildRequest, BuildResult, Progress
from index_builder.build.sealing import stage_sealed
from index_builder.build.version import stage_compacted, stage_version
from index_builder.build.work import Work
from index_builder.errors import BuildError, GalleryInvalid
from index_builder.publish import gallery_collections, publish, published_version
from index_builder.report import Report
from index_builder.retention import collect_collections, collect_segments, prune
from index_builder.sources.base import PhotoSource, SourcePhoto
from index_builder.sources.choice import open_source
from index_builder.stores.choice import MilvusCollections, SearchDevice, open_device
from models.bundle import Bundle, read_manifest

_log = logging.getLogger("inkseek.index")


def _silent(stage: object, done: int, total: int | None) -> None:
    pass


def build_index(request: BuildRequest, progress: Progress = _silent) -> BuildResult:
    """Build a new version of the index from all photos and publish it; whatever goes wrong, the old one stays.

    Raises BuildError (GalleryInvalid, GalleryEmpty, RecallTooLow, BuildLocked, ...) and BundleError.
    """
    return _published(request, progress, lambda work: stage_version(work, None))


def update_index(request: BuildRequest, progress: Progress = _silent) -> BuildResult:
    """Publish a version of the photos as they are now that takes over what the published one has of them.

    New and changed photos are embedded, deleted ones leave, renamed ones keep their vector. Raises as `build_index`,
    and IndexNotFound, IndexCorrupt, BundleMismatch where there is nothing to take over.
    """
    with _base(request) as base:
        return _published(request, progress, lambda work: stage_version(work, base), base)


def compact_index(request: BuildRequest, progress: Progress = _silent) -> BuildResult:
    """Publish a version of the same photos in one segment, without deleted rows. Raises as `update_index`."""
    with _base(request) as base:
        kept = replace(request, exclude=base.manifest.gallery.exclude)
        return _published(kept, progress, lambda work: stage_compacted(work, base), base, _PublishedPhotos(base))


def seal_index(request: BuildRequest, changes: Path, progress: Progress = _silent) -> BuildResult:
    """Publish a version with the changes that a service handed over in that folder, in a segment of their own.

    Raises as `update_index`, and ChangesUnfit.
    """
    with _base(request) as base:
        kept = replace(request, exclude=base.manifest.gallery.exclude)
        return _published(kept, progress, lambda work: stage_sealed(work, base, changes), base, _PublishedPhotos(base))


@dataclass(frozen=True)
class _PublishedPhotos:
    """The source of a compaction or sealing, which needs no photo: what the published version says of its own."""

    base: GalleryIndex

    @property
    def description(self) -> GallerySource:
        return self.base.manifest.gallery

    @property
    def fields(self) -> tuple[MetadataField, ...]:
        return self.base.manifest.metadata_fields

    def list(self) -> Iterator[SourcePhoto]:
        return iter(())

    def open(self, photo: SourcePhoto) -> BinaryIO:
        raise FileNotFoundError(photo.path)

    def stamp(self, photo: SourcePhoto) -> None:
        return None

    def covers(self, path: Path) -> bool:
        return False


@contextmanager
def _base(request: BuildRequest) -> Iterator[GalleryIndex]:
    """The published version, open; its files' hashes are not checked, which would read every vector."""
    bundle_id = read_manifest(request.bundle).bundle_id
    base = GalleryIndex.load(request.out, bundle_id=bundle_id, check_files=False)
    try:
        yield base
    finally:
        base.close()


def _checked_bundle(request: BuildRequest) -> Bundle:
    bundle = Bundle.load(request.bundle, request.runtime)
    if (problem := request.runtime.unused_gpu(bundle.providers)) is not None:
        _log.warning("no GPU is used: %s", problem)
    # Before the long work: an encoder that computes other vectors here would make an index without meaning.
    bundle.check_canary()
    return bundle


def _published(
    request: BuildRequest,
    progress: Progress,
    stage: Callable[[Work], IndexManifest | None],
    base: GalleryIndex | None = None,
    source: PhotoSource | None = None,
) -> BuildResult:
    source = source or open_source(request.photos, exclude=request.exclude, follow_links=request.follow_links)
    if source.covers(request.out):
        raise GalleryInvalid(
            f"{request.out} lies inside the gallery {request.photos}: its files would be read as photos"
        )
    bundle = _checked_bundle(request)
    with _device(request) as device, locked(request.out), _collections(request) as collections:
        if base is not None and published_version(request.out) != base.version:
            raise BuildError(f"{request.out} was published anew in this moment; try again")
        if not request.resume:
            shutil.rmtree(layout.partitions_dir(request.out), ignore_errors=True)
        staging = new_staging(request.out)
        try:
            with Report(staging / layout.REPORT) as report:
                manifest = stage(Work(request, source, bundle, staging, report, progress, collections, device))
            if manifest is None:
                assert base is not None, "a build from nothing is a change"
                # A build that was killed behind its swap of the pointer may have left segments of removed versions.
                _clear(request.out, collections)
                shutil.rmtree(layout.partitions_dir(request.out), ignore_errors=True)
                return BuildResult(base.version, base.manifest, (), unchanged=True)
            manifest = _with_report(manifest, staging)
            progress("publish", 0, 1)
            # Read before the swap: services go on with this version until they notice the new one.
            in_use = published_version(request.out)
            version = publish(request.out, staging, manifest, collections)
        except (OSError, sqlite3.Error) as error:  # no space left, no permission, a disk that fails
            _clear(request.out, collections)
            raise BuildError(f"a new version could not be written to {request.out}: {error}") from error
        except BaseException:
            _clear(request.out, collections)
            raise
        shutil.rmtree(layout.partitions_dir(request.out), ignore_errors=True)
        removed = prune(request.out, max(1, request.keep), in_use=in_use)
        collect_collections(request.out, collections)
        progress("publish", 1, 1)
    return BuildResult(version, manifest, tuple(removed))


def _device(request: BuildRequest) -> closing[SearchDevice]:
    return closing(open_device(request.runtime.device, require_gpu=request.runtime.require_gpu))


def _with_report(manifest: IndexManifest, staging: Path) -> IndexManifest:
    """The manifest with the report, which is complete only now."""
    files = {**manifest.files, layout.REPORT: layout.hash_file(staging / layout.REPORT)}
    return manifest.model_copy(update={"files": files})


def _collections(request: BuildRequest) -> AbstractContextManager[MilvusCollections | None]:
    store = request.store or ("milvus" if _is_in_milvus(request.out) else "files")
    return gallery_collections(request.out, request.milvus, wanted=store == "milvus")


def _is_in_milvus(out: Path) -> bool:
    """Whether the published version's vectors are searched in Milvus."""
    with suppress(IndexArtifactError):
        return read_index(layout.version_dir(out, layout.current_version(out))).collection is not None
    return False


def _clear(out: Path, collections: MilvusCollections | None) -> None:
    # What was embedded stays in its partitions, for --resume.
    clear_staging(out)
    collect_segments(out)
    collect_collections(out, collections)
