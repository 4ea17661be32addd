"""A version from the listing to its manifest: what it takes over, what it embeds, and how it is searched."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata

import numpy as np
import numpy.typing as npt

from index_builder.artifact import GalleryIndex, layout
from index_builder.artifact.manifest import BuildSummary, GallerySource, IndexManifest, OnlineMark
from index_builder.artifact.photos.record import PhotoRecord
from index_builder.artifact.segments.opening import places_of
from index_builder.build.in_milvus import searched_in_milvus
from index_builder.build.listing import ListedPhotos, listed_photos
from index_builder.build.measures import faced, note_near_duplicates, standing_alone, tuned
from index_builder.build.new_photos import Partition, Todo, merge_partitions, write_partitions, written_in
from index_builder.build.parts import Parts, built_segment, compacted
from index_builder.build.work import Work
from index_builder.errors import GalleryEmpty, TooManyDeleted
from index_builder.quality.probes import Probe, sketch_probe
from index_builder.segments.assemble import named_segments, write_rows
from index_builder.segments.reuse_by_hash import Published, Reuse, reuse
from index_builder.segments.stamps import Stamps, read_stamps, stamps_of, write_settled, write_stamps
from index_builder.sources.base import SourcePhoto

_HASH_BLOCK_BYTES = 1 << 20
_FEW_DELETED = 10
_SCRATCH_STAMPS = "listed_stamps.npy"


@dataclass(frozen=True)
class Made:
    """How many photos were embedded, and how many rows or vectors were taken over from what was there before."""

    embedded: int
    reused: int


def stage_version(work: Work, base: GalleryIndex | None) -> IndexManifest | None:
    """Everything of a version that is not published yet, but for its report; None where nothing differs from `base`.

    Raises GalleryInvalid, GalleryEmpty, TooManyDeleted, RecallTooLow, OSError, sqlite3.Error, and what the encoder
    raises.
    """
    # Before the long work: a wrong path of sketches should show now and not an hour later.
    sketches = embedded_sketches(work)
    now_ns = time.time_ns()
    work.progress("gallery", 0, None)
    with ExitStack() as listing:
        with work.times.stage("gallery"):
            photos = listing.enter_context(listed_photos(work.source, work.report, work.staging))
            scratch = work.staging / _SCRATCH_STAMPS
            listing.callback(scratch.unlink, missing_ok=True)
            stamps = stamps_of(work.source, photos, scratch)
        work.progress("gallery", len(photos), len(photos))
        return _staged(work, base, photos, stamps, sketches, now_ns)


def stage_compacted(work: Work, base: GalleryIndex) -> IndexManifest | None:
    """As `stage_version`, of the photos of `base` in one segment; None where it has no other and no deleted rows.

    An index of an older schema version becomes one of segments by an update or a build.
    """
    manifest = base.manifest
    if manifest.is_one_part and _stays(base, work):
        return None
    places = places_of(layout.version_dir(work.out, base.version), manifest)
    parts = compacted(work, Parts(manifest.segments, places, {}), range(len(manifest.segments)))
    stamps = read_stamps(layout.version_dir(work.out, base.version), base.count)
    stamps_file = write_stamps(work.staging, stamps)
    return described(work, base, parts, embedded_sketches(work), Made(0, base.count), stamps_file, manifest.online)


def _staged(
    work: Work,
    base: GalleryIndex | None,
    photos: ListedPhotos,
    stamps: Stamps,
    sketches: Probe | None,
    now_ns: int,
) -> IndexManifest | None:
    taken = _taken_over(work, photos, stamps, base)
    # Before anything is embedded; photos that are listed and turn out to be unreadable are counted afterwards.
    _check_deleted(work, base, taken)
    is_todo = taken.kept < 0
    todo = _todo(photos, stamps, taken, is_todo, base)
    with work.times.stage("photos"):
        partitions = write_partitions(work, todo)
    written = is_todo  # of the photos to write, those that have a row now
    written[is_todo] = written_in(partitions)
    kept = len(photos) - len(todo.photos)
    if base is not None and not written.any() and kept == base.count and _describes(base, work):
        return None
    if not kept and not written.any():
        reasons = ", ".join(f"{reason}: {number}" for reason, number in work.report.skipped.most_common())
        raise GalleryEmpty(f"no photo of {work.request.photos} could be indexed ({reasons or 'it is empty'})")
    parts, live = _put_together(work, base, taken, written, partitions)
    _check_deleted(work, base, taken, live)
    parts = compacted(work, parts)
    note_near_duplicates(work, parts, written[live])
    embedded = _embedded(partitions, todo.copied)
    made = Made(embedded, int(live.sum()) - embedded)
    stamps_file = write_settled(work.staging, stamps, live, now_ns)
    return described(work, base, parts, sketches, made, stamps_file)


def _todo(
    photos: ListedPhotos, stamps: Stamps, taken: Reuse, is_todo: npt.NDArray[np.bool_], base: GalleryIndex | None
) -> Todo:
    if is_todo.all():  # as in a build from nothing: no copy of anything that is as long as the gallery
        return Todo(photos, stamps, taken.copied, base)
    positions = np.flatnonzero(is_todo)
    at_of = ((at, position) for at, position in enumerate(positions.tolist()))
    copied = {at: taken.copied[position] for at, position in at_of if position in taken.copied}
    return Todo(photos.at(positions), stamps[positions], copied, base)


def _taken_over(work: Work, photos: ListedPhotos, stamps: Stamps, base: GalleryIndex | None) -> Reuse:
    if base is None:
        return Reuse.nothing(len(photos))
    fields = work.fields

    def content_hash(photo: SourcePhoto) -> str | None:
        return _content_hash(work, photo)

    def with_bytes(sha256: str) -> PhotoRecord | None:
        return next(iter(base.photos_with_bytes(sha256)), None)

    folder = layout.version_dir(work.out, base.version)
    keeps_rows = bool(base.manifest.segments) and base.manifest.metadata_fields == fields
    published = Published(base.records(), read_stamps(folder, base.count), with_bytes, keeps_rows)
    with work.stage("reuse"):
        return reuse(photos, stamps, published, [field.name for field in fields], content_hash)


def _check_deleted(
    work: Work, base: GalleryIndex | None, taken: Reuse, live: npt.NDArray[np.bool_] | None = None
) -> None:
    """Raises TooManyDeleted. A few photos may always leave: of a small gallery they are a large share."""
    lost = taken.lost(base.count, live) if base is not None else 0
    if base is not None and base.manifest.online is not None:
        lost -= base.manifest.online.photos  # uploaded: no source lists them, and the service has them still
    if base is not None and lost > max(_FEW_DELETED, work.request.max_deleted * base.count):
        raise TooManyDeleted(deleted=lost, published=base.count, allowed=work.request.max_deleted)


def _content_hash(work: Work, photo: SourcePhoto) -> str | None:
    """The sha256 of a photo's file; None where it cannot be read, or is larger than photos may be."""
    digest, read = hashlib.sha256(), 0
    try:
        with work.source.open(photo) as file:
            while block := file.read(_HASH_BLOCK_BYTES):
                read += len(block)
                if read > work.request.limits.max_bytes:
                    return None
                digest.update(block)
    except OSError:
        return None
    return digest.hexdigest()


def _put_together(
    work: Work,
    base: GalleryIndex | None,
    taken: Reuse,
    written: npt.NDArray[np.bool_],
    partitions: list[Partition],
) -> tuple[Parts, npt.NDArray[np.bool_]]:
    """The segments with a row for each photo that is kept or `written`; which of the listed photos these are."""
    places = np.full((len(taken.kept), 2), -1, np.int32)
    segments = list(base.manifest.segments) if base is not None else []
    variants = {}
    if base is not None and base.manifest.segments:
        kept = taken.kept >= 0
        places[kept] = places_of(layout.version_dir(work.out, base.version), base.manifest)[taken.kept[kept]]
    if (merged := merge_partitions(work, partitions)) is not None:
        entry, built = built_segment(work, *merged)
        variants[entry.name] = built
        segments.append(entry)
        places[written, 0], places[written, 1] = len(segments) - 1, np.arange(written.sum(), dtype=np.int32)
    live = places[:, 0] >= 0
    return Parts(*named_segments(segments, places if live.all() else places[live]), variants), live


def described(
    work: Work,
    base: GalleryIndex | None,
    parts: Parts,
    sketches: Probe | None,
    made: Made,
    stamps_file: str,
    online: OnlineMark | None = None,
) -> IndexManifest:
    """Measure the parts, write the rows, and describe all of it. Raises RecallTooLow."""
    if work.collections is None:
        measured = tuned(work, parts, sketches, update=base is not None)
        parts, recall, cost = measured.parts, measured.recall, measured.cost
        collection, search = None, max(parts.segments, key=lambda entry: entry.live).search
    else:
        collection, search, recall, cost = searched_in_milvus(work, parts, base, sketches)
    counts_before = {} if base is None else dict(base.categories_with_none())
    facing = faced(work, parts, {} if base is None else base.manifest.facing, counts_before)
    alone = standing_alone(work, parts, None if base is None else base.manifest.alone, counts_before)
    names = (stamps_file, *write_rows(work.staging, parts.segments, parts.places))
    return IndexManifest(
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        inkseek_version=_own_version(),
        bundle_id=work.bundle.bundle_id,
        embedding_dim=work.dim,
        count=parts.count,
        gallery=work.source.description.model_copy(update={"exclude": work.request.exclude}),
        metadata_fields=work.fields,
        search=search,
        recall=recall,
        cost=cost,
        facing=facing,
        alone=alone,
        build=BuildSummary(
            seconds=round(time.monotonic() - work.started_at, 3),
            photos_per_s=round(made.embedded / max(work.times.seconds.get("photos", 0.0), 1e-9), 2),
            skipped=dict(work.report.skipped),
            noted=dict(work.report.noted),
            embedded=made.embedded,
            reused=made.reused,
            stages_s=work.times.rounded(),
        ),
        segments=parts.segments,
        collection=collection,
        online=online,
        files={name: layout.hash_file(work.staging / name) for name in names},
    )


def embedded_sketches(work: Work) -> Probe | None:
    """The sketches that recall is measured with; None where none are given. Raises GalleryInvalid."""
    if work.request.sketches is None:
        return None
    work.progress("sketches", 0, None)
    with work.times.stage("sketches"):
        probe = sketch_probe(work.request.sketches, work.bundle.sketch)
    work.progress("sketches", len(probe.queries), len(probe.queries))
    return probe


def _embedded(partitions: list[Partition], copied: Mapping[int, PhotoRecord]) -> int:
    """How many photos this build embedded itself."""
    embedded = start = 0
    for partition in partitions:
        end = start + partition.manifest.listed
        if not partition.resumed:
            embedded += partition.manifest.count - sum(start <= position < end for position in copied)
        start = end
    return embedded


def _describes(base: GalleryIndex, work: Work) -> bool:
    """Whether the published manifest says of the source what the new one would."""
    description: GallerySource = work.source.description.model_copy(update={"exclude": work.request.exclude})
    described = base.manifest.gallery == description and base.manifest.metadata_fields == work.fields
    # A version of before this was measured says less than a new one would.
    measured = base.manifest.alone is not None or not work.bundle.photo.preprocess.trim
    return described and measured and _stays(base, work)


def _stays(base: GalleryIndex, work: Work) -> bool:
    """Whether the new version's vectors are searched where those of the published one are."""
    return (base.manifest.collection is not None) == (work.collections is not None)


def _own_version() -> str:
    try:
        return metadata.version("inkseek")
    except metadata.PackageNotFoundError:  # run from a checkout that was never installed
        return "unknown"
