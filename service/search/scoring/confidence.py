"""How likely each result is right, and whether any is, by the bundle's calibration of this kind of search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from index_builder.artifact import PhotoFilter, SearchHit
from models.bundle import CALIBRATION_DEPTH, ScoreCalibration, SearchCalibration
from service.search.gallery import Gallery
from service.search.query import SearchQuery


@dataclass(frozen=True)
class Judged:
    """The hits that are answered, the confidence of each, and whether none is likely to be right; None: not known."""

    hits: list[SearchHit]
    confidences: list[float] | None = None
    no_good_match: bool | None = None


def calibration_for(
    calibration: ScoreCalibration | None, query: SearchQuery, where: PhotoFilter | None, *, has_parts: bool
) -> SearchCalibration | None:
    """What was fitted for such a search; None where nothing was.

    Within one category photos are told apart by detail, and one that is compared by kind there has no right answer of
    its own; nor has a search over everything by detail alone.
    """
    if calibration is None:
        return None
    # A focus has no effect on embeddings without parts.
    focus = query.focus if has_parts else None
    if where is not None and len(where.categories) == 1:
        return calibration.category if focus in (None, "detail") else None
    if focus == "kind":
        return calibration.kind
    return calibration.everything if focus in (None, "balanced") else None


def widened(query: SearchQuery, calibration: SearchCalibration | None) -> SearchQuery:
    """The query for all the hits that the calibration looks at, whose lower ones need not be answered."""
    if calibration is None or (query.k >= CALIBRATION_DEPTH and query.min_score is None):
        return query
    return replace(query, k=max(query.k, CALIBRATION_DEPTH), min_score=None)


def judged(
    gallery: Gallery, hits: Sequence[SearchHit], query: SearchQuery, calibration: SearchCalibration | None
) -> Judged:
    """The hits of the widened query, best first -> those that the query asked for, judged."""
    if calibration is None:
        return Judged(list(hits))
    alike = gallery.likeness(hits[:CALIBRATION_DEPTH]) if hits and calibration.agreement else 0.0
    confidences = calibration.confidences(np.array([hit.score for hit in hits]), alike).tolist()
    kept = [hit for hit in hits if query.min_score is None or hit.score >= query.min_score][: query.k]
    # Hits are ordered by score, so those that are kept are the first ones.
    return Judged(kept, confidences[: len(kept)], not (confidences and calibration.matches(confidences[0])))
