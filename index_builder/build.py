"""Photos to a published index: read, embed, index, measure, publish."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Literal, TypeAlias

from index_builder import quality
from index_builder.artifact import layout
from index_builder.artifact.manifest import (
    BuildSummary,
    GallerySource,
    IndexManifest,
    RecallReport,
)
from index_builder.artifact.photo_store import PhotoRecord, PhotoStoreWriter
from index_builder.embedding.reader import Rejected
from index_builder.embedding.sketch_queries import SketchQueries, embed_sketches
from index_builder.embedding.threads import EmbeddedPhoto, Pace, embed_photos
from index_builder.errors import BuildError, GalleryEmpty, GalleryInvalid, RecallTooLow
from index_builder.publish import discard, locked, new_staging, prune, publish, published_version
from index_builder.report import Report
from index_builder.sources.folder import Gallery, open_gallery
from index_builder.stores.choice import build_store, store_files
from index_builder.stores.plan import DEFAULT_SETTINGS, KindChoice, SearchPlan, StoreSettings, choose_plan
from index_builder.stores.vectors_file import VectorWriter
from models.bundle import Bundle, ImageLimits, Runtime, cpu_quota

# stage ("sketches", "gallery", "photos", "index", "recall", "publish"), done, total (None: unknown)
Progress: TypeAlias = Callable[[str, int, int | None], None]

_CPU_BATCH, _GPU_BATCH = 2, 64
_DEFAULT_LIMITS = ImageLimits(max_bytes=64 * 2**20)
_DEFAULT_RUNTIME = Runtime(threads=1)


@dataclass(frozen=True)
class BuildRequest:
    """What to build. `photos`: a folder or a manifest; `bundle` None: the shipped one.

    `workers` and `batch` None: chosen for the device. `keep`: versions left after a build, at least the new one.
    """

    photos: Path
    out: Path
    bundle: Path | None = None
    kind: KindChoice = "auto"
    settings: StoreSettings = DEFAULT_SETTINGS
    sketches: Path | None = None
    min_recall: float | None = None
    keep: int = 3
    limits: ImageLimits = _DEFAULT_LIMITS
    runtime: Runtime = _DEFAULT_RUNTIME
    workers: int | None = None
    batch: int | None = None


@dataclass(frozen=True)
class BuildResult:
    """A published version. `removed`: older versions that went."""

    version: str
    manifest: IndexManifest
    removed: tuple[str, ...]


def build_index(request: BuildRequest, progress: Progress = lambda stage, done, total: None) -> BuildResult:
    """Build a new version of the index and publish it; whatever goes wrong, what was published before stays.

    Raises BuildError (GalleryInvalid, GalleryEmpty, RecallTooLow, BuildLocked, ...) and BundleError.
    """
    _refuse_nesting(request)
    bundle = Bundle.load(request.bundle, request.runtime)
    bundle.check_canary()
    with locked(request.out):
        staging = new_staging(request.out)
        try:
            manifest = _Build(request, bundle, staging, progress).run()
            progress("publish", 0, 1)
            in_use = published_version(request.out)
            version = publish(request.out, staging, manifest)
        except (OSError, sqlite3.Error) as error:  # no space left, no permission, a disk that fails
            discard(staging)
            raise BuildError(f"a new version could not be written to {request.out}: {error}") from error
        except BaseException:
            discard(staging)
            raise
        removed = prune(request.out, max(1, request.keep), in_use=in_use)
        progress("publish", 1, 1)
    return BuildResult(version, manifest, tuple(removed))


class _Build:
    """One run, from the gallery to the manifest of a staged version."""

    def __init__(self, request: BuildRequest, bundle: Bundle, staging: Path, progress: Progress) -> None:
        self._request = request
        self._bundle = bundle
        self._staging = staging
        self._progress = progress

    def run(self) -> IndexManifest:
        started = time.monotonic()
        # Before the long work: a wrong path should not be found out an hour later.
        sketches = self._embed_sketches(self._request.sketches) if self._request.sketches else None
        with Report(self._staging / layout.REPORT) as report:
            self._progress("gallery", 0, None)
            gallery = open_gallery(self._request.photos, report)
            self._progress("gallery", len(gallery.photos), len(gallery.photos))
            embedding_started = time.monotonic()
            count = self._embed(gallery, report)
            embedding_s = time.monotonic() - embedding_started
        if count == 0:
            reasons = ", ".join(f"{reason}: {number}" for reason, number in report.skipped.most_common())
            raise GalleryEmpty(f"no photo of {self._request.photos} could be indexed ({reasons or 'it is empty'})")
        plan, measured = self._index(count, sketches)
        names = [layout.PHOTOS, layout.REPORT, *store_files(plan)]
        return IndexManifest(
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            inkseek_version=_own_version(),
            bundle_id=self._bundle.bundle_id,
            embedding_dim=self._bundle.embedding_dim,
            count=count,
            gallery=GallerySource(root=str(gallery.root), manifest=gallery.manifest),
            metadata_fields=gallery.fields,
            search=plan,
            recall=measured,
            build=BuildSummary(
                seconds=round(time.monotonic() - started, 3),
                photos_per_s=round(count / max(embedding_s, 1e-9), 2),
                skipped=dict(report.skipped),
                noted=dict(report.noted),
            ),
            files={name: layout.hash_file(self._staging / name) for name in names},
        )

    def _embed_sketches(self, source: Path) -> SketchQueries:
        self._progress("sketches", 0, None)
        sketches = embed_sketches(source, self._bundle)
        self._progress("sketches", len(sketches.queries), len(sketches.queries))
        return sketches

    def _embed(self, gallery: Gallery, report: Report) -> int:
        """Stream every photo into vectors.npy and photos.sqlite; returns how many are in."""
        outcomes = embed_photos(gallery.root, gallery.photos, self._bundle.photo, self._pace(), self._request.limits)
        field_names = [field.name for field in gallery.fields]
        self._progress("photos", 0, len(gallery.photos))
        with (
            VectorWriter(self._staging / layout.VECTORS, self._bundle.embedding_dim) as vectors,
            PhotoStoreWriter(self._staging / layout.PHOTOS, gallery.fields) as store,
        ):
            for done, outcome in enumerate(outcomes, start=1):
                if isinstance(outcome, Rejected):
                    report.skip(outcome.reason, outcome.photo.path, outcome.detail, outcome.photo.photo_id)
                else:
                    record = _record(vectors.count, outcome, field_names)
                    store.append(record, outcome.facts.thumbnail)
                    vectors.append(outcome.vector[None])
                    if outcome.facts.frames > 1:
                        detail = f"{outcome.facts.frames} frames or pages; the first was indexed"
                        report.note("first_frame_only", record.path, detail, record.photo_id)
                self._progress("photos", done, len(gallery.photos))
            for photo_id, path, first_id in store.duplicates():
                report.note("duplicate_bytes", path, f"the same bytes as {first_id}", photo_id)
        return vectors.count

    def _index(self, count: int, sketches: SketchQueries | None) -> tuple[SearchPlan, RecallReport]:
        """Build the store, find its fastest good setting, and compare its recall with the gate."""
        settings, dim = self._request.settings, self._bundle.embedding_dim
        plan = choose_plan(count, dim, self._request.kind, settings)
        self._progress("index", 0, 1)
        variants = build_store(self._staging, plan, count=count, dim=dim, threads=cpu_quota(), settings=settings)
        self._progress("index", 1, 1)
        probe = quality.Probe(sketches.queries) if sketches else quality.photo_probe(variants[0].store)
        required = self._request.min_recall or 0.0
        self._progress("recall", 0, 1)
        plan, recall = quality.fastest_good(variants, probe, max(required, quality.TARGET_RECALL))
        self._progress("recall", 1, 1)
        kind: Literal["sketches", "photos"] = "sketches" if sketches else "photos"
        if recall < required:
            raise RecallTooLow(measured=recall, required=required, queries=kind)
        return plan, RecallReport(
            recall=recall,
            k=quality.RECALL_K,
            queries=kind,
            query_count=len(probe.queries),
            source=str(self._request.sketches) if sketches else None,
            unusable_sketches=sketches.unusable if sketches else 0,
        )

    def _pace(self) -> Pace:
        on_gpu = "CUDAExecutionProvider" in self._bundle.providers
        return Pace(
            workers=self._request.workers or cpu_quota(),
            batch=self._request.batch or (_GPU_BATCH if on_gpu else _CPU_BATCH),
        )


def _record(row: int, embedded: EmbeddedPhoto, field_names: list[str]) -> PhotoRecord:
    facts = embedded.facts
    return PhotoRecord(
        row=row,
        photo_id=facts.photo.photo_id,
        category=facts.photo.category,
        path=facts.photo.path,
        sha256=facts.sha256,
        width=facts.width,
        height=facts.height,
        metadata=dict(zip(field_names, facts.photo.metadata, strict=True)) if field_names else {},
    )


def _own_version() -> str:
    try:
        return metadata.version("inkseek")
    except metadata.PackageNotFoundError:  # run from a checkout that was never installed
        return "unknown"


def _refuse_nesting(request: BuildRequest) -> None:
    if request.photos.is_dir() and request.out.resolve().is_relative_to(request.photos.resolve()):
        raise GalleryInvalid(
            f"{request.out} lies inside the gallery {request.photos}: its files would be read as photos"
        )
