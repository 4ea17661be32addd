"""The photos of a version that no published segment has: embedded or copied in partitions, then merged to a segment."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping, Sequence, Set
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from index_builder.artifact import GalleryIndex, layout
from index_builder.artifact.photos.record import PhotoRecord
from index_builder.artifact.staging import new_segment
from index_builder.build.work import Work
from index_builder.cluster.partitions import write_on_cluster
from index_builder.cluster.worker import PartitionTask, WorkerSpec
from index_builder.embedding.base import EmbeddedPhoto, PhotoFacts
from index_builder.report import Skipped
from index_builder.segments.compact import join_segments
from index_builder.segments.partition_writing import write_partition
from index_builder.segments.partitions import PartitionManifest, inputs_digest, read_intact
from index_builder.segments.stamps import Stamps
from index_builder.sources.base import SourcePhoto
from index_builder.stores.exact import ExactStore
from models.bundle import name_of_bundle


@dataclass(frozen=True)
class Todo:
    """N photos to write, sorted by id, with the stamps of their files.

    `copied`: by position, the record of `published` whose vector and thumbnail the photo has.
    """

    photos: Sequence[SourcePhoto]
    stamps: Stamps
    copied: Mapping[int, PhotoRecord]
    published: GalleryIndex | None = None


@dataclass(frozen=True)
class Partition:
    """A finished partition in its folder. `resumed`: an earlier build wrote it."""

    folder: Path
    manifest: PartitionManifest
    resumed: bool


def write_partitions(work: Work, todo: Todo) -> list[Partition]:
    """Every photo in a partition on the disk, in order; those of an interrupted build are taken over if requested."""
    folder = layout.partitions_dir(work.out)
    folder.mkdir(exist_ok=True)
    recipe = json.dumps(
        [work.bundle.bundle_id, repr(work.request.limits), work.request.decode_bytes, repr(work.fields)]
    )
    size = work.request.partition_photos
    slices = [slice(at, at + size) for at in range(0, len(todo.photos), size)]
    names = [inputs_digest(todo.photos[part], todo.stamps[part], recipe) for part in slices]
    intact = {name: read_intact(folder / name) for name in names} if work.request.resume else {}
    resumed = {name for name, manifest in intact.items() if manifest is not None}
    work.progress("photos", 0, len(todo.photos))
    if work.request.engine == "ray":
        intact |= _from_cluster(work, todo, {name: part for part, name in zip(slices, names, strict=True)}, resumed)
    pending = [part for part, name in zip(slices, names, strict=True) if not intact.get(name)]
    partitions = []
    # One stream over all partitions: decoding goes on while one is being finished.
    with closing(_outcomes(work, todo, pending)) as outcomes:
        for part, name in zip(slices, names, strict=True):
            known = intact.get(name)
            manifest = known or _written(work, todo, part, folder / name, outcomes)
            work.report.replay(folder / name / layout.REPORT)
            partitions.append(Partition(folder / name, manifest, name in resumed))
            work.progress("photos", min(part.stop, len(todo.photos)), len(todo.photos))
    return partitions


def written_in(partitions: Sequence[Partition]) -> npt.NDArray[np.bool_]:
    """(N,): of each photo to write, whether it has a row."""
    return np.concatenate([np.empty(0, bool), *(partition.manifest.written for partition in partitions)])


def merge_partitions(work: Work, partitions: Sequence[Partition]) -> tuple[Path, int] | None:
    """The rows of all partitions as the files of a staged segment, and how many they are; None where there are none."""
    filled = [partition for partition in partitions if partition.manifest.count]
    if not filled:
        return None
    joined = (
        (
            partition.folder,
            ExactStore.open(partition.folder / layout.VECTORS, count=partition.manifest.count, dim=work.dim),
        )
        for partition in filled
    )
    staging = new_segment(work.out)
    with work.stage("merge"):
        count = join_segments(staging, joined, fields=work.fields, dim=work.dim, report=work.report)
    return staging, count


def _written(
    work: Work, todo: Todo, part: slice, folder: Path, outcomes: Iterator[EmbeddedPhoto | Skipped]
) -> PartitionManifest:
    own = islice(outcomes, len(todo.photos[part]))
    total = len(todo.photos)
    return write_partition(
        folder, work.content, own, work.times, lambda number: work.progress("photos", part.start + number, total)
    )


def _from_cluster(
    work: Work, todo: Todo, parts: Mapping[str, slice], resumed: Set[str]
) -> dict[str, PartitionManifest | None]:
    """The partitions that a cluster writes, by name: all but those that are there and those that copy vectors."""
    copying = {position // work.request.partition_photos for position in todo.copied}
    tasks = (
        PartitionTask(name, tuple(todo.photos[part]))
        for name, part in parts.items()
        if name not in resumed and part.start // work.request.partition_photos not in copying
    )
    done = sum(len(todo.photos[parts[name]]) for name in resumed)
    finished: dict[str, PartitionManifest | None] = {}
    for manifest in write_on_cluster(_spec(work), tasks, work.times):
        finished[manifest.inputs] = manifest
        done += manifest.listed
        work.progress("photos", done, len(todo.photos))
    return finished


def _spec(work: Work) -> WorkerSpec:
    request = work.request
    partitions = layout.partitions_dir(work.out).resolve()
    # By its name where it ships with the package: on another node that may be installed elsewhere.
    bundle = name_of_bundle(work.bundle.bundle_id) or work.bundle.path.resolve()
    return WorkerSpec(work.source, bundle, request.runtime, work.content, work.setup, partitions)


def _outcomes(work: Work, todo: Todo, parts: Sequence[slice]) -> Generator[EmbeddedPhoto | Skipped, None, None]:
    """An outcome for each photo of the parts, in order."""

    def listed() -> Iterator[tuple[int, SourcePhoto]]:
        # Part by part, which a listing on the disk reads in blocks.
        for part in parts:
            yield from enumerate(todo.photos[part], part.start)

    fresh = (photo for position, photo in listed() if position not in todo.copied)
    with (
        work.setup.embedder(work.bundle, work.times) as embedder,
        closing(embedder.embed(work.source, fresh)) as embedded,
    ):
        for position, photo in listed():
            record = todo.copied.get(position)
            yield next(embedded) if record is None else _copied(todo, photo, record)


def _copied(todo: Todo, photo: SourcePhoto, record: PhotoRecord) -> EmbeddedPhoto:
    assert todo.published is not None, "copied from nowhere"
    hashes = todo.published.perceptual_hashes([record.row])
    thumbnail = todo.published.thumbnail(record.photo_id)._replace(perceptual_hash=hashes.get(record.row))
    facts = PhotoFacts(record.sha256, record.width, record.height, frames=1, thumbnail=thumbnail)
    return EmbeddedPhoto(photo, facts, todo.published.vector(record.row))
