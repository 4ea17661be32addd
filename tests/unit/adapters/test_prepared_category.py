"""A prepared category: scores of low rank are those of the adapter in full, for every method and any part of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.adapters import Adaptation, CategoryAdapter
from models.adapters.fit import LowRankResidual, PreparedCategory
from models.adapters.frame import GalleryFrame
from models.adapters.inner_step import Support, inner_step
from models.adapters.prior import CentrePrior
from models.adapters.state import Method
from models.arrays import Rows, Vectors

E = 16


def drawn(*shape: int, seed: int) -> Vectors:
    array: Vectors = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    return array


def unit(rows: Vectors) -> Vectors:
    scaled: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return scaled


def category(photos: int = 12, sketches: int = 6) -> tuple[Vectors, Rows, Vectors]:
    gallery = unit(drawn(photos, E, seed=0) + 1)
    owners = np.arange(sketches) % 4
    return unit(gallery[owners] + 0.3 * drawn(sketches, E, seed=1)), owners, gallery


def adaptation(method: Method, head: bool, residual: bool, gains: bool = False) -> Adaptation:
    start = Adaptation.untrained(E, method, rate=0.6 if method == "adaptive" else 0.0, power=0.4, negatives=5)
    arrays = dict(start.arrays)
    arrays |= {"head": drawn(E, 7, seed=2)} if head else {}
    arrays |= {"gains": np.exp(0.3 * drawn(E, seed=5))} if gains else {}
    arrays |= {"down": 0.3 * drawn(E, 3, seed=3), "up": 0.3 * drawn(3, E, seed=4)} if residual else {}
    return replace(start, arrays=arrays)


METHODS: list[tuple[Method, bool, bool]] = [
    ("adaptive", False, False),
    ("adaptive", True, False),
    ("adaptive", False, True),
    ("adaptive", True, True),
    ("bayes", True, True),
    ("centred", False, False),
]


@pytest.mark.parametrize(("method", "head", "residual"), METHODS)
@pytest.mark.parametrize("shown", [0, 1, 6])
def test_scores_are_those_of_the_adapter(method: Method, head: bool, residual: bool, shown: int) -> None:
    sketches, owners, photos = category()
    prepared = adaptation(method, head, residual).prepare(photos)
    fitted = prepared.fit(sketches[:shown], owners[:shown])
    adapter = prepared.adapter(fitted)
    queries = unit(drawn(5, E, seed=9) + 1)
    expected = adapter.embed_sketches(queries) @ adapter.embed_photos(photos).T
    np.testing.assert_allclose(prepared.scores(queries, fitted), expected, atol=2e-5)
    assert (fitted.step is not None) == (method == "adaptive" and shown > 0)
    assert (fitted.margin is not None) == (fitted.step is not None)


@pytest.mark.parametrize(("method", "head", "residual"), METHODS)
def test_some_of_the_photos_score_as_they_do_among_all(method: Method, head: bool, residual: bool) -> None:
    """With every photo a negative of the whole category, the part has to hold the negatives, too."""
    sketches, owners, photos = category()
    rows = np.array([0, 1, 2, 3, 5, 8, 11])
    given = adaptation(method, head, residual)
    part = given.prepare(photos, rows)
    whole = replace(part, photos=photos[rows])
    assert part.photos.shape == (7, E)
    assert part.gallery is photos
    fitted = part.fit(sketches, owners)
    adapter = whole.adapter(fitted)
    expected = adapter.embed_sketches(sketches) @ adapter.embed_photos(photos[rows]).T
    np.testing.assert_allclose(part.scores(sketches, fitted), expected, atol=2e-5)


def test_the_adapter_is_frame_residual_and_head_one_after_the_other() -> None:
    sketches, owners, photos = category()
    given = adaptation("adaptive", True, True)
    prepared = given.prepare(photos)
    fitted = prepared.fit(sketches, owners)
    assert fitted.step is not None
    frame = GalleryFrame.of(photos, shrinkage=given.settings.shrinkage, power=given.settings.power)
    head = fitted.step.head(given.arrays["head"])
    for photo, found in zip(photos, prepared.adapter(fitted).embed_photos(photos), strict=True):
        framed = frame.turn((photo - frame.mean)[None])[0]
        features = framed / np.linalg.norm(framed)
        features = features + features @ given.arrays["down"] @ given.arrays["up"]
        moved = features @ head
        np.testing.assert_allclose(found, moved / np.linalg.norm(moved), atol=2e-5)


def test_the_support_holds_the_nearest_photos_as_negatives() -> None:
    sketches, owners, photos = category(photos=20)
    given = adaptation("adaptive", False, False)
    prepared = given.prepare(photos)
    centre = prepared.prior.centre(sketches, owners, photos, prepared.frame.mean)
    features = unit(prepared.frame.turn(sketches - centre))
    closeness = (prepared.features @ features.T).max(axis=1)
    others = sorted(set(range(20)) - {0, 1, 2, 3}, key=lambda row: -closeness[row])[:5]
    candidates = prepared.features[[0, 1, 2, 3, *others]]
    support = Support(features, candidates, owners)
    fitted = prepared.fit(sketches, owners)
    assert fitted.step is not None
    assert fitted.margin is not None
    expected = inner_step(None, support, margin=fitted.margin, rate=0.6, softness=given.settings.softness)
    np.testing.assert_allclose(fitted.step.rows, expected.rows, atol=1e-5)
    np.testing.assert_allclose(fitted.step.weights, expected.weights, atol=1e-5)


def test_the_centred_method_ignores_every_example() -> None:
    sketches, owners, photos = category()
    fitted = adaptation("centred", False, False).fit_category(sketches, owners, photos)
    plain = CategoryAdapter.centred(photos)
    np.testing.assert_allclose(fitted.adapter.embed_photos(photos), plain.embed_photos(photos), atol=1e-5)
    np.testing.assert_allclose(fitted.adapter.embed_sketches(sketches), plain.embed_sketches(sketches), atol=1e-5)
    assert fitted.leave_one_out.before == fitted.leave_one_out.after


@pytest.mark.parametrize("method", ["adaptive", "bayes", "centred"])
def test_zero_shot_is_a_fit_to_nothing(method: Method) -> None:
    _, _, photos = category()
    given = adaptation(method, False, False)
    prepared = given.prepare(photos)
    nothing = prepared.fit(np.zeros((0, E), np.float32), np.zeros(0, np.int64))
    expected, found = prepared.adapter(nothing), given.zero_shot(photos)
    np.testing.assert_allclose(found.embed_photos(photos), expected.embed_photos(photos), atol=1e-6)
    np.testing.assert_allclose(found.sketch_centre, given.prepare(photos).prior.share * found.mean, atol=1e-6)


def test_a_residual_composes_with_the_head() -> None:
    residual = LowRankResidual(drawn(E, 2, seed=5), drawn(2, E, seed=6))
    head, rows = drawn(E, 4, seed=7), drawn(3, E, seed=8)
    np.testing.assert_allclose(rows @ residual.before(head), residual.apply(rows) @ head, atol=1e-3)


def test_nothing_that_was_passed_is_written_to() -> None:
    sketches, owners, photos = category()
    kept = sketches.copy(), owners.copy(), photos.copy()
    adaptation("adaptive", True, True).fit_category(sketches, owners, photos)
    for before, after in zip(kept, (sketches, owners, photos), strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_category_of_one_photo_is_prepared() -> None:
    photos = category(photos=1, sketches=1)[2]
    frame = GalleryFrame.of(photos, shrinkage=1.0, power=0.5)
    prepared = PreparedCategory.of(photos, frame=frame, prior=CentrePrior(), head=None, rule=None)
    scores = prepared.scores(photos, prepared.fit(photos, np.array([0])))
    assert scores.shape == (1, 1)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("method", ["adaptive", "bayes"])
@pytest.mark.parametrize("shown", [0, 1, 6])
def test_gains_weigh_the_numbers_before_everything_else(method: Method, shown: int) -> None:
    sketches, owners, photos = category()
    weighed = adaptation(method, True, False, gains=True)
    gains = weighed.arrays["gains"]
    found = weighed.prepare(photos)
    fitted = found.fit(sketches[:shown], owners[:shown])
    # The same method without gains, on embeddings that have them already.
    plain = adaptation(method, True, False).prepare(photos * gains)
    same = plain.fit(sketches[:shown] * gains, owners[:shown])
    np.testing.assert_allclose(found.scores(sketches, fitted), plain.scores(sketches * gains, same), atol=1e-4)
    adapter = found.adapter(fitted)
    cosines = adapter.embed_sketches(sketches) @ adapter.embed_photos(photos).T
    np.testing.assert_allclose(cosines, found.scores(sketches, fitted), atol=1e-4)
