"""One partition from its photos' outcomes to its folder: written aside under a name of its own, then renamed."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from index_builder.artifact import layout
from index_builder.artifact.manifest import MetadataField
from index_builder.embedding.base import EmbeddedPhoto
from index_builder.embedding.stage_times import StageTimes
from index_builder.report import Report, Skipped
from index_builder.segments.append import write_photos
from index_builder.segments.partitions import PartitionManifest, complete, file_entries


@dataclass(frozen=True)
class PartitionContent:
    """What all partitions of a build have in common; `dim`: length of a vector (E)."""

    bundle_id: str
    dim: int
    fields: tuple[MetadataField, ...]


def write_partition(
    folder: Path,
    content: PartitionContent,
    outcomes: Iterable[EmbeddedPhoto | Skipped],
    times: StageTimes,
    done: Callable[[int], None] = lambda number: None,
) -> PartitionManifest:
    """Write an outcome for each photo to `folder`, whose name is the digest of the partition's inputs.

    `done` is called with the number of outcomes so far. Raises OSError, sqlite3.Error, and what `outcomes` raises.
    """
    # Two workers may write the same partition, where one of them was taken for dead.
    staging = folder.with_name(f".building-{folder.name}-{uuid.uuid4().hex}")
    staging.mkdir()
    skipped: dict[int, str] = {}

    def timed_outcomes() -> Iterator[EmbeddedPhoto | Skipped]:
        for position, outcome in enumerate(outcomes):
            if isinstance(outcome, Skipped):
                skipped[position] = outcome.reason
            with times.stage("write"):
                yield outcome

    with Report(staging / layout.REPORT) as report:
        written = write_photos(
            staging, timed_outcomes(), fields=content.fields, dim=content.dim, report=report, done=done
        )
    with times.stage("write"):
        manifest = PartitionManifest(
            inputs=folder.name,
            bundle_id=content.bundle_id,
            embedding_dim=content.dim,
            listed=len(written),
            count=int(written.sum()),
            metadata_fields=content.fields,
            skipped=skipped,
            files=file_entries(staging),
        )
        complete(staging, folder, manifest)
    return manifest
