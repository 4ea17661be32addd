"""What is measured of a version before it is published: recall, which tunes the search, and how categories face."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial

from index_builder.artifact.manifest import Facing, RecallReport, SegmentEntry
from index_builder.build.parts import Parts
from index_builder.build.work import Work
from index_builder.errors import RecallTooLow
from index_builder.quality.facing import measure_facing
from index_builder.quality.probes import MAX_QUERIES, Probe, photo_probe
from index_builder.quality.recall import TARGET_RECALL, fastest_good
from index_builder.stores.choice import StoreVariant
from index_builder.stores.plan import SearchPlan

# An update measures with fewer: an exact search of 200,000 photos takes 20 ms, and the update a few seconds.
UPDATE_QUERIES = 100
_CHANGED_SHARE = 0.2  # of a category's photos, from which on how it faces is measured again


def tuned(work: Work, parts: Parts, sketches: Probe | None, *, update: bool) -> tuple[Parts, RecallReport]:
    """The parts at the fastest setting of what was just built that reaches the target, and the recall of all of them.

    Raises RecallTooLow where that misses the gate.
    """
    required = work.request.min_recall or 0.0
    with work.stage("recall"):
        steps = _steps(parts)
        variants = [StoreVariant(_approximate(step) or SearchPlan(), step.open(work)[0]) for step in steps]
        probe = sketches or photo_probe(variants[0].store, UPDATE_QUERIES if update else MAX_QUERIES)
        # A gate above the target is also what the setting is tuned for, else it would fail for no reason.
        plan, report = fastest_good(variants, probe, max(required, TARGET_RECALL))
    if report.recall < required:
        raise RecallTooLow(measured=report.recall, required=required, queries=report.queries)
    chosen = next(step for step, variant in zip(steps, variants, strict=True) if variant.plan == plan)
    return chosen, report


def faced(
    work: Work, parts: Parts, before: Mapping[str, Facing], counts_before: Mapping[str, int]
) -> dict[str, Facing]:
    """Which categories face one way; of those whose number of photos hardly changed, what was measured `before`."""
    with work.times.stage("facing"):
        store, photos = parts.open(work)
        try:
            counts = Counter(photos.categories())
            known = {
                name: facing
                for name, facing in before.items()
                if abs(counts[name] - counts_before.get(name, 0)) <= _CHANGED_SHARE * counts_before.get(name, 0)
                and counts[name]
            }
            return measure_facing(photos, store, work.bundle, work.pace, partial(work.progress, "facing"), known)
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
