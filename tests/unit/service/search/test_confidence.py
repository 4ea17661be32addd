"""Confidences of answers, against the formula on scores and photos as the answer has them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from index_builder.artifact import PhotoFilter
from models.bundle import Focus, ScoreCalibration, SearchCalibration
from service.search.query import SearchQuery
from service.search.results import SearchResult
from service.search.retriever import Retriever
from service.search.scoring.confidence import calibration_for
from service.sketches.sketch import EncodedImage

Draw = Callable[[str, int], bytes]

EVERYTHING = SearchCalibration(temperature=0.2, reference=-3.0, agreement=1.5, offset=-1.0, threshold=0.5)
KIND = EVERYTHING.model_copy(update={"offset": 0.0})
CATEGORY = SearchCalibration(temperature=0.1, reference=-9.0, offset=0.5, threshold=0.5)
CALIBRATION = ScoreCalibration(everything=EVERYTHING, kind=KIND, category=CATEGORY)


def served_by(retriever: Retriever, calibration: ScoreCalibration | None) -> Retriever:
    manifest = retriever.bundle.manifest.model_copy(update={"calibration": calibration})
    return replace(retriever, bundle=replace(retriever.bundle, manifest=manifest))


def by_formula(retriever: Retriever, result: SearchResult, calibration: SearchCalibration) -> list[float]:
    """From the answer's scores and, photo by photo, the stored embeddings."""
    scores = [hit.score for hit in result.photos]
    vectors = [retriever.index.vector(hit.photo.row).astype(np.float64) for hit in result.photos[:10]]
    alike = float(np.mean([vectors[0] @ other for other in vectors[1:]]))
    shared = calibration.reference * float(np.mean(scores[:10])) + calibration.agreement * alike + calibration.offset
    return [1 / (1 + math.exp(-(score / calibration.temperature + shared))) for score in scores]


@pytest.mark.parametrize(("categories", "calibration"), [((), EVERYTHING), (("box",), CATEGORY)])
def test_confidences_are_the_formula(
    retriever: Retriever, draw: Draw, categories: tuple[str, ...], calibration: SearchCalibration
) -> None:
    calibrated = served_by(retriever, CALIBRATION)
    result = calibrated.search(EncodedImage(draw("box", 1)), SearchQuery(k=50, categories=categories))
    found = [hit.confidence for hit in result.photos]
    assert found == pytest.approx(by_formula(calibrated, result, calibration), abs=1e-5)
    assert result.no_good_match == (found[0] is not None and found[0] < 0.5)


def test_k_and_min_score_leave_confidences_alone(retriever: Retriever, draw: Draw) -> None:
    calibrated, drawing = served_by(retriever, CALIBRATION), EncodedImage(draw("cross", 3))
    whole = calibrated.search(drawing, SearchQuery(k=50))
    few = calibrated.search(drawing, SearchQuery(k=2))
    assert [(hit.photo.photo_id, hit.confidence) for hit in few.photos] == [
        (hit.photo.photo_id, hit.confidence) for hit in whole.photos[:2]
    ]
    least = (whole.photos[2].score + whole.photos[3].score) / 2
    above = calibrated.search(drawing, SearchQuery(k=50, min_score=least))
    assert [hit.confidence for hit in above.photos] == [hit.confidence for hit in whole.photos[:3]]
    boxes = SearchQuery(k=50, categories=("box",))
    none = calibrated.search(drawing, replace(boxes, min_score=1.0))
    assert (none.photos, none.no_good_match) == ([], calibrated.search(drawing, boxes).no_good_match)


def test_the_threshold_says_whether_anything_fits(retriever: Retriever, draw: Draw) -> None:
    drawing, query = EncodedImage(draw("box", 1)), SearchQuery(k=1)
    best = served_by(retriever, CALIBRATION).search(drawing, query).photos[0].confidence
    assert best is not None
    for threshold, nothing_fits in ((best - 1e-6, False), (best + 1e-6, True)):
        moved = EVERYTHING.model_copy(update={"threshold": threshold})
        result = served_by(retriever, ScoreCalibration(everything=moved)).search(drawing, query)
        assert result.no_good_match is nothing_fits
        assert len(result.photos) == 1  # it is answered nonetheless


def test_without_a_calibration_nothing_is_said(retriever: Retriever, draw: Draw) -> None:
    plain = served_by(retriever, None)
    result = plain.search(EncodedImage(draw("box", 1)), SearchQuery(k=5))
    assert ([hit.confidence for hit in result.photos], result.no_good_match) == ([None] * 5, None)
    similar = served_by(retriever, CALIBRATION).similar(result.photos[0].photo.photo_id, SearchQuery(k=3))
    assert ([hit.confidence for hit in similar.photos], similar.no_good_match) == ([None] * 3, None)
    partly = served_by(retriever, ScoreCalibration(category=CATEGORY))
    assert partly.search(EncodedImage(draw("box", 1)), SearchQuery(k=5)).no_good_match is None


@pytest.mark.parametrize(
    ("focus", "categories", "has_parts", "expected"),
    [
        (None, (), True, EVERYTHING),
        ("balanced", ("a", "b"), True, EVERYTHING),
        ("kind", (), True, KIND),
        ("kind", (), False, EVERYTHING),
        ("detail", (), True, None),
        (None, ("a",), True, CATEGORY),
        ("detail", ("a",), True, CATEGORY),
        ("kind", ("a",), True, None),
        ("kind", ("a",), False, CATEGORY),
    ],
)
def test_each_kind_of_search_has_its_own(
    focus: Focus | None, categories: tuple[str, ...], has_parts: bool, expected: SearchCalibration | None
) -> None:
    where = PhotoFilter(frozenset(categories)) if categories else None
    query = SearchQuery(focus=focus, categories=categories)
    assert calibration_for(CALIBRATION, query, where, has_parts=has_parts) is expected
    assert calibration_for(None, query, where, has_parts=has_parts) is None
