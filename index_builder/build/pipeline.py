"""The stages of a build in their order, and what happens to the version where one of them fails."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from index_builder.artifact import layout
from index_builder.artifact.manifest import BuildSummary, Facing, IndexManifest, RecallReport
from index_builder.artifact.photo_store import PhotoStore
from index_builder.build.listing import listed_photos
from index_builder.build.request import BuildRequest, BuildResult, Progress
from index_builder.embedding.threads import ThreadedEmbedder
from index_builder.errors import BuildError, GalleryEmpty, GalleryInvalid, RecallTooLow
from index_builder.publish import clear_staging, locked, new_segment, new_staging, publish, published_version
from index_builder.quality.facing import measure_facing
from index_builder.quality.probes import Probe, photo_probe, sketch_probe
from index_builder.quality.recall import TARGET_RECALL, fastest_good
from index_builder.report import Report
from index_builder.retention import prune
from index_builder.segments.append import write_photos
from index_builder.segments.seal import seal
from index_builder.sources.base import PhotoSource
from index_builder.sources.choice import open_source
from index_builder.stores.choice import build_store
from index_builder.stores.exact import ExactStore
from index_builder.stores.plan import SearchPlan, choose_plan
from models.bundle import Bundle, Pace, cpu_quota
from models.images import IsolatedDecoder, MemoryBudget
from models.sandbox import ProcessLimits

# On a CPU small batches keep every core decoding and encoding by turns; a GPU is idle without large ones.
_CPU_BATCH, _GPU_BATCH = 2, 64
_DECODE_CPU_S = 30.0  # of one photo, where it is not a plain one: 50 megapixels of AVIF take 3 s


def build_index(request: BuildRequest, progress: Progress = lambda stage, done, total: None) -> BuildResult:
    """Build a new version of the index and publish it; whatever goes wrong, what was published before stays.

    Raises BuildError (GalleryInvalid, GalleryEmpty, RecallTooLow, BuildLocked, ...) and BundleError.
    """
    source = open_source(request.photos, exclude=request.exclude, follow_links=request.follow_links)
    if source.covers(request.out):
        raise GalleryInvalid(
            f"{request.out} lies inside the gallery {request.photos}: its files would be read as photos"
        )
    bundle = Bundle.load(request.bundle, request.runtime)
    # Before the long work: an encoder that computes other vectors here would make an index without meaning.
    bundle.check_canary()
    with locked(request.out):
        staging = new_staging(request.out)
        try:
            manifest = _stage_version(request, source, bundle, staging, progress)
            progress("publish", 0, 1)
            # Read before the swap: services go on with this version until they notice the new one.
            in_use = published_version(request.out)
            version = publish(request.out, staging, manifest)
        except (OSError, sqlite3.Error) as error:  # no space left, no permission, a disk that fails
            clear_staging(request.out)
            raise BuildError(f"a new version could not be written to {request.out}: {error}") from error
        except BaseException:
            clear_staging(request.out)
            raise
        removed = prune(request.out, max(1, request.keep), in_use=in_use)
        progress("publish", 1, 1)
    return BuildResult(version, manifest, tuple(removed))


def _stage_version(
    request: BuildRequest, source: PhotoSource, bundle: Bundle, staging: Path, progress: Progress
) -> IndexManifest:
    """Everything from the listing to the manifest of a version that is not published yet."""
    started = time.monotonic()
    # Before the long work: a wrong path of sketches should show now and not an hour later.
    sketches = _embed_sketches(request.sketches, bundle, progress) if request.sketches else None
    segment = new_segment(request.out)
    with Report(staging / layout.REPORT) as report:
        count, photos_per_s = _embed_photos(request, source, bundle, segment, report, progress)
    # After the report is closed, whose counts say why.
    if count == 0:
        reasons = ", ".join(f"{reason}: {number}" for reason, number in report.skipped.most_common())
        raise GalleryEmpty(f"no photo of {request.photos} could be indexed ({reasons or 'it is empty'})")
    dim = bundle.embedding_dim
    plan, recall = _index(request, count, dim, segment, sketches, progress)
    facing = _facing(request, source, bundle, count, segment, progress)
    entry = seal(segment, bundle_id=bundle.bundle_id, dim=dim, count=count, fields=source.fields, search=plan)
    return IndexManifest(
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        inkseek_version=_own_version(),
        bundle_id=bundle.bundle_id,
        embedding_dim=dim,
        count=count,
        gallery=source.description,
        metadata_fields=source.fields,
        search=plan,
        recall=recall,
        facing=facing,
        build=BuildSummary(
            seconds=round(time.monotonic() - started, 3),
            photos_per_s=round(photos_per_s, 2),
            skipped=dict(report.skipped),
            noted=dict(report.noted),
            embedded=count,
        ),
        segments=(entry,),
        files={layout.REPORT: layout.hash_file(staging / layout.REPORT)},
    )


def _embed_sketches(sketches: Path, bundle: Bundle, progress: Progress) -> Probe:
    progress("sketches", 0, None)
    probe = sketch_probe(sketches, bundle.sketch)
    progress("sketches", len(probe.queries), len(probe.queries))
    return probe


def _embed_photos(
    request: BuildRequest, source: PhotoSource, bundle: Bundle, segment: Path, report: Report, progress: Progress
) -> tuple[int, float]:
    """How many photos were embedded, and how many per second."""
    progress("gallery", 0, None)
    photos = listed_photos(source, report)
    progress("gallery", len(photos), len(photos))
    started = time.monotonic()
    progress("photos", 0, len(photos))
    pace = _pace(request, bundle)
    isolated = IsolatedDecoder(
        ProcessLimits(_DECODE_CPU_S, request.decode_bytes + request.limits.max_bytes), processes=pace.workers
    )
    limits = replace(
        request.limits,
        max_working_bytes=request.decode_bytes,
        budget=MemoryBudget(request.decode_bytes),
        isolated=isolated,
    )
    with closing(isolated):
        count = write_photos(
            segment,
            ThreadedEmbedder(bundle.photo, limits, pace).embed(source, photos),
            fields=source.fields,
            dim=bundle.embedding_dim,
            report=report,
            done=lambda number: progress("photos", number, len(photos)),
        )
    return count, count / max(time.monotonic() - started, 1e-9)


def _index(
    request: BuildRequest, count: int, dim: int, segment: Path, sketches: Probe | None, progress: Progress
) -> tuple[SearchPlan, RecallReport]:
    """Build the store, find its fastest good setting, and compare its recall with the gate. Raises RecallTooLow."""
    progress("index", 0, 1)
    plan = choose_plan(count, dim, request.kind, request.settings)
    variants = build_store(segment, plan, count=count, dim=dim, threads=cpu_quota(), settings=request.settings)
    progress("index", 1, 1)
    progress("recall", 0, 1)
    required = request.min_recall or 0.0
    probe = sketches or photo_probe(variants[0].store)
    # A gate above the target is also what the setting is tuned for, else it would fail for no reason.
    plan, report = fastest_good(variants, probe, max(required, TARGET_RECALL))
    progress("recall", 1, 1)
    if report.recall < required:
        raise RecallTooLow(measured=report.recall, required=required, queries=report.queries)
    return plan, report


def _facing(
    request: BuildRequest, source: PhotoSource, bundle: Bundle, count: int, segment: Path, progress: Progress
) -> dict[str, Facing]:
    """Which categories face one way, measured on the staged segment's vectors and thumbnails."""
    photos = PhotoStore(segment / layout.PHOTOS, source.fields)
    vectors = ExactStore.open(segment / layout.VECTORS, count=count, dim=bundle.embedding_dim)
    try:
        return measure_facing(
            photos, vectors, bundle, _pace(request, bundle), lambda done, total: progress("facing", done, total)
        )
    finally:
        photos.close()
        vectors.close()


def _pace(request: BuildRequest, bundle: Bundle) -> Pace:
    on_gpu = "CUDAExecutionProvider" in bundle.providers
    return Pace(
        workers=request.workers or cpu_quota(), batch_size=request.batch or (_GPU_BATCH if on_gpu else _CPU_BATCH)
    )


def _own_version() -> str:
    try:
        return metadata.version("inkseek")
    except metadata.PackageNotFoundError:  # run from a checkout that was never installed
        return "unknown"
