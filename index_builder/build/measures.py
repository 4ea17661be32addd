"""What is measured of a version before it is published: recall, which tunes the search, and how its photos lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from index_builder.artifact.manifest import Facing, RecallReport, SearchCost, SegmentEntry
from index_builder.artifact.segments.photos import PhotoTable
from index_builder.build.parts import Parts, plans_of, rebuilt
from index_builder.build.work import Work
from index_builder.errors import RecallTooLow
from index_builder.quality.cost import search_cost
from index_builder.quality.drawings import drawn_probe
from index_builder.quality.facing import measure_facing
from index_builder.quality.near_duplicates import near_duplicates
from index_builder.quality.probes import MAX_QUERIES, Probe, photo_probe
from index_builder.quality.recall import fastest_good
from index_builder.quality.standing import measure_alone
from index_builder.report import Note
from index_builder.stores.base import VectorStore
from index_builder.stores.choice import StoreVariant
from index_builder.stores.plan import SearchPlan
from models.bundle import AloneShares

T = TypeVar("T")

# An update measures with fewer: an exact search of 200,000 photos takes 20 ms, and the update a few seconds.
UPDATE_QUERIES = 100
_CHANGED_SHARE = 0.2  # of a category's photos, from which on how it faces is measured again


@dataclass(frozen=True)
class Tuned:
    """The parts of a version as they will be searched, the recall of all of them and what a search costs."""

    parts: Parts
    recall: RecallReport
    cost: SearchCost


def tuned(work: Work, parts: Parts, sketches: Probe | None, *, update: bool) -> Tuned:
    """The fastest setting of what was just built that reaches the recall that is needed.

    Where "auto" chose a kind whose slowest setting misses that, the kinds that are left are built in turn, and the best
    one stays. Raises RecallTooLow where that misses the gate.
    """
    required = work.request.min_recall or 0.0
    # A gate above the target is also what the setting is tuned for, else it would fail for no reason.
    target = max(required, work.request.needs.recall)
    best = _measured(work, parts, sketches, target, update=update)
    tunable = _tunable(parts)
    for plan in plans_of(work, tunable.count)[1:] if tunable else ():
        if best.recall.recall >= target:
            break
        assert tunable is not None
        other = _measured(work, rebuilt(work, parts, tunable, plan), sketches, target, update=update)
        best = max(best, other, key=lambda one: one.recall.recall)
    if best.recall.recall < required:
        raise RecallTooLow(measured=best.recall.recall, required=required, queries=best.recall.queries)
    return best


def _measured(work: Work, parts: Parts, sketches: Probe | None, target: float, *, update: bool) -> Tuned:
    """The parts at the fastest of their settings that reaches the target, or the last one."""
    with work.stage("recall"):
        steps = _steps(parts)
        opened = [step.open(work) for step in steps]
        variants = [
            StoreVariant(_approximate(step) or SearchPlan(), store)
            for step, (store, _) in zip(steps, opened, strict=True)
        ]
        probe = _probe(work, opened[0], sketches, is_exact=variants[0].plan.is_exact, update=update)
        plan, report = fastest_good(variants, probe, target)
        number = [variant.plan for variant in variants].index(plan)
        chosen = steps[number]
        cost = search_cost(work.staging, chosen.segments, variants[number].store, probe, work.dim)
    return Tuned(chosen, report, cost)


def tuned_elsewhere(
    work: Work, parts: Parts, variants: Sequence[StoreVariant], sketches: Probe | None, *, update: bool
) -> tuple[SearchPlan, RecallReport, SearchCost]:
    """As `tuned`, of stores that have the rows of the parts elsewhere than in their files, fastest first.

    Bytes in the cost are those of this machine: none. Raises RecallTooLow.
    """
    required = work.request.min_recall or 0.0
    with work.stage("recall"):
        opened = parts.open(work)
        try:
            probe = _probe(work, opened, sketches, is_exact=False, update=update)
            target = max(required, work.request.needs.recall)
            # Their files are searched exactly: reading every vector from elsewhere for each query would take long.
            plan, report = fastest_good(variants, probe, target, truth=opened[0])
            store = next(variant.store for variant in variants if variant.plan == plan)
            cost = search_cost(work.staging, (), store, probe, work.dim)
        finally:
            opened[1].close()
    if report.recall < required:
        raise RecallTooLow(measured=report.recall, required=required, queries=report.queries)
    return plan, report, cost


def _probe(
    work: Work, opened: tuple[VectorStore, PhotoTable], sketches: Probe | None, *, is_exact: bool, update: bool
) -> Probe:
    """The sketches, or what stands for them; where every search is exact nothing is tuned, and nothing is drawn."""
    (store, photos), most = opened, UPDATE_QUERIES if update else MAX_QUERIES
    drawings = None if sketches or is_exact else drawn_probe(photos, work.bundle.sketch, most)
    return sketches or drawings or photo_probe(store, most)


def _unchanged(before: Mapping[str, T], counts: Mapping[str, int], counts_before: Mapping[str, int]) -> dict[str, T]:
    """What was measured of categories that are there still, and hardly another size."""
    return {
        name: measured
        for name, measured in before.items()
        if abs(counts[name] - counts_before.get(name, 0)) <= _CHANGED_SHARE * counts_before.get(name, 0)
        and counts[name]
    }


def faced(
    work: Work, parts: Parts, before: Mapping[str, Facing], counts_before: Mapping[str, int]
) -> dict[str, Facing]:
    """Which categories face one way; of those whose number of photos hardly changed, what was measured `before`."""
    with work.times.stage("facing"):
        store, photos = parts.open(work)
        try:
            counts = Counter(photos.row_categories().counts())
            known = _unchanged(before, counts, counts_before)
            return measure_facing(photos, store, work.bundle, work.pace, partial(work.progress, "facing"), known)
        finally:
            photos.close()


def standing_alone(
    work: Work, parts: Parts, before: AloneShares | None, counts_before: Mapping[str, int]
) -> AloneShares | None:
    """How many photos show a thing alone; of categories whose number of photos hardly changed, as `before`.

    None where the bundle sees photos as wide as they are, since a drawing is then compared where it lies, too.
    """
    if not work.bundle.photo.preprocess.trim:
        return None
    with work.times.stage("alone"):
        _, photos = parts.open(work)
        try:
            counts = Counter(photos.row_categories().counts())
            known = _unchanged(before.categories if before else {}, counts, counts_before)
            return measure_alone(photos, known)
        finally:
            photos.close()


def note_near_duplicates(work: Work, parts: Parts, is_new: npt.NDArray[np.bool_]) -> None:
    """A note in the report on each row that `is_new` (G,) whose photo another one of the gallery looks like."""
    with work.stage("duplicates"):
        store, photos = parts.open(work)
        try:
            rows, hashes = photos.every_perceptual_hash()
            for row, twin, cosine in near_duplicates(rows, hashes, is_new[rows], store):
                photo, other = photos.photos([row, twin])
                if photo.sha256 != other.sha256:  # those are noted as what they are
                    detail = f"looks like {other.photo_id} (cosine {cosine:.3f})"
                    work.report.note(Note("near_duplicate", photo.path, detail, photo.photo_id))
        finally:
            photos.close()


def _steps(parts: Parts) -> list[Parts]:
    """The parts at each setting of the largest approximate segment that was just built, fastest first."""
    tunable = _tunable(parts)
    if tunable is None:
        return [parts]
    return [parts.at(tunable.name, variant) for variant in parts.variants[tunable.name]]


def _tunable(parts: Parts) -> SegmentEntry | None:
    built = [entry for entry in parts.segments if entry.name in parts.variants and not entry.search.is_exact]
    return max(built, key=lambda entry: entry.live, default=None)


def _approximate(parts: Parts) -> SearchPlan | None:
    """How the segment that `_steps` tunes is searched, or any approximate one; None where all are exact."""
    plans = [entry.search for entry in parts.segments if not entry.search.is_exact]
    tunable = _tunable(parts)
    return tunable.search if tunable else next(iter(plans), None)
