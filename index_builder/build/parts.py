"""A version's segments while they are put together: built, merged, and opened as they will be searched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from index_builder.artifact import layout
from index_builder.artifact.manifest import SegmentEntry
from index_builder.artifact.photos.store import PhotoStore
from index_builder.artifact.segments.opening import open_segments
from index_builder.artifact.segments.photos import PhotoTable
from index_builder.artifact.staging import new_segment
from index_builder.build.work import Work
from index_builder.segments.assemble import named_segments
from index_builder.segments.compact import merge_rows, merged_places, segments_to_merge
from index_builder.segments.seal import seal
from index_builder.stores.base import VectorStore
from index_builder.stores.choice import StoreVariant, build_store
from index_builder.stores.exact import ExactStore
from index_builder.stores.plan import SearchPlan, auto_plans, choose_plan
from index_builder.stores.row_map import Places
from models.bundle import cpu_quota


@dataclass(frozen=True)
class Parts:
    """The segments of a version to be, and the place of each of its rows.

    `variants`: by name of a segment that was just built, its store at each setting, fastest first.
    """

    segments: tuple[SegmentEntry, ...]
    places: Places
    variants: dict[str, Sequence[StoreVariant]]

    @property
    def count(self) -> int:
        """Photos that can be found (G)."""
        return len(self.places)

    def at(self, name: str, variant: StoreVariant) -> Parts:
        """The same with one segment searched by another setting."""
        segments = tuple(
            entry.model_copy(update={"search": variant.plan}) if entry.name == name else entry
            for entry in self.segments
        )
        return replace(self, segments=segments, variants={**self.variants, name: (variant,)})

    def open(self, work: Work) -> tuple[VectorStore, PhotoTable]:
        """The vectors and the photos, each segment just built at its first setting."""
        # A built store knows of no deleted rows, and has none.
        stores = {
            entry.name: self.variants[entry.name][0].store for entry in self.segments if entry.name in self.variants
        }
        return open_segments(
            work.staging,
            self.segments,
            self.places,
            fields=work.fields,
            dim=work.dim,
            stores=stores,
            kept_records=0,  # each is looked at once: kept, they would be the largest thing in memory
        )


def built_segment(
    work: Work, staging: Path, count: int, plan: SearchPlan | None = None
) -> tuple[SegmentEntry, Sequence[StoreVariant]]:
    """Build the search index of a staged segment and seal it; its entry is that of the fastest setting.

    `plan`: None for the preferred one of `plans_of`.
    """
    with work.stage("index"):
        plan = plan or plans_of(work, count)[0]
        variants = build_store(
            staging,
            plan,
            count=count,
            dim=work.dim,
            threads=cpu_quota(),
            settings=work.request.settings,
            device=work.device,
        )
        search = variants[0].plan
        entry = seal(
            staging, bundle_id=work.bundle.bundle_id, dim=work.dim, count=count, fields=work.fields, search=search
        )
    return entry, variants


def plans_of(work: Work, count: int) -> tuple[SearchPlan, ...]:
    """How a segment of `count` photos may be searched: as requested, or what "auto" tries, the preferred one first."""
    request = work.request
    if work.collections is not None:
        # The kind is that of the collection, which is written from the segments' files.
        return (SearchPlan(),)
    if request.kind == "auto":
        return auto_plans(count, work.dim, request.needs, request.settings)
    return (choose_plan(count, work.dim, request.kind, request.settings),)


def rebuilt(work: Work, parts: Parts, entry: SegmentEntry, plan: SearchPlan) -> Parts:
    """The parts with one segment that was just built as a segment of the same rows behind another search index."""
    number = [segment.name for segment in parts.segments].index(entry.name)
    source, staging = layout.segment_dir(work.staging, entry.name), new_segment(work.out)
    for name in (layout.VECTORS, layout.PHOTOS):
        try:
            os.link(source / name, staging / name)
        except OSError:  # a file system without links
            shutil.copyfile(source / name, staging / name)
    other, variants = built_segment(work, staging, entry.count, plan)
    segments = [*parts.segments[:number], other, *parts.segments[number + 1 :]]
    # Its rows stay where they are; the segment that is replaced goes with the next collection of segments.
    return Parts(*named_segments(segments, parts.places), {**parts.variants, other.name: variants})


def compacted(work: Work, parts: Parts, merged: Sequence[int] | None = None) -> Parts:
    """The parts with those segments merged that have to be (None: as the bounds on segments and deleted rows say)."""
    if merged is None:
        merged = segments_to_merge(parts.segments, searched=work.collections is None)
    if not merged:
        return parts
    moving, rewritten = merged_places(parts.places, merged, target=len(parts.segments))
    sources = [_opened(work, parts, number) for number in range(len(parts.segments))]
    staging = new_segment(work.out)
    with work.stage("merge"):
        try:
            count = merge_rows(staging, sources, moving, fields=work.fields, dim=work.dim)
        finally:
            for _, photos in sources:
                photos.close()
    entry, variants = built_segment(work, staging, count)
    segments, places = named_segments([*parts.segments, entry], rewritten)
    return Parts(segments, places, {**parts.variants, entry.name: variants})


def _opened(work: Work, parts: Parts, number: int) -> tuple[VectorStore, PhotoStore]:
    entry = parts.segments[number]
    folder = layout.segment_dir(work.staging, entry.name)
    return (
        ExactStore.open(folder / layout.VECTORS, count=entry.count, dim=work.dim),
        PhotoStore(folder / layout.PHOTOS, work.fields),
    )
