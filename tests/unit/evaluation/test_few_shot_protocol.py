"""The protocol and its figures against loops from their definition."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.adapters.category import CategoryAdapter
from models.data.datasets import PhotoKey
from models.data.sampling.episodes import category_tasks, episode, person_tasks
from models.evaluation.few_shot.closed_form import Prototypes, RidgeRegression, Whitening
from models.evaluation.few_shot.figures import arm_figures, by_task, difference, resampled
from models.evaluation.few_shot.methods import Centred, Method, NoAdaptation
from models.evaluation.few_shot.protocol import Material, Trial, Unit, run

METHODS: tuple[Method, ...] = (NoAdaptation(), Centred(), Whitening(1.0), Prototypes(3.0), RidgeRegression(1.0))
KS = (1, 3)
DRAWS = 3


def unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    scaled: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)
    return scaled


def material(kind: Unit = Unit.CATEGORY) -> Material:
    random = np.random.default_rng(0)
    photos = [PhotoKey(name, str(n)) for name in ("cup", "owl", "tie") for n in range(7)]
    middles = np.repeat(random.normal(size=(3, 12)), 7, axis=0)
    vectors = middles + random.normal(size=(21, 12))
    drawn = [row for row in range(21) if row % 7 < 5 for _ in range(3)]
    sketches = vectors[drawn] + 0.9 * random.normal(size=(len(drawn), 12)) + 0.3
    keys = [photos[row] for row in drawn]
    if kind is Unit.PERSON:
        tasks = person_tasks(keys, ["ann", "bo", "cy"] * (len(drawn) // 3), photos)
    else:
        tasks = category_tasks(keys, photos)
    return Material("made up", kind, unit(sketches), unit(vectors), tasks)


@pytest.mark.parametrize("kind", list(Unit))
def test_ranks_are_those_of_a_loop_over_queries(kind: Unit) -> None:
    given = material(kind)
    trial = run(given, METHODS, KS, draws=DRAWS, seed=5)
    for method in METHODS:
        for k in KS:
            expected = []
            for number, task in enumerate(given.tasks):
                for draw in range(DRAWS):
                    one = episode(task, k, draw, seed=5)
                    photos = given.photos[task.gallery]
                    head = method.fit(given.sketches[one.support], one.support_targets, photos)
                    for sketch, target in zip(one.holdout, one.holdout_targets, strict=True):
                        row = given.sketches[sketch]
                        found = head.embed_sketches(row[None])[0] @ head.embed_photos(photos).T
                        others = found[task.categories == task.categories[target]]
                        of_task = sum(score >= found[target] for score in others)
                        # All photos by plain cosine; the task's places among them, given out anew by the head.
                        order = np.argsort(-(given.photos @ row)).tolist()
                        slots = [place for place, photo in enumerate(order) if photo in set(task.gallery.tolist())]
                        for slot, better in zip(slots, np.argsort(-found), strict=True):
                            order[slot] = int(task.gallery[better])
                        whole = 1 + order.index(int(task.gallery[target]))
                        expected.append((of_task, whole, int(task.gallery[target]), number, draw))
            assert trial.ranks[method.name, k].tolist() == [[row[0], row[1]] for row in expected]
            assert trial.photos.tolist() == [row[2] for row in expected]
            assert trial.tasks.tolist() == [row[3] for row in expected]
            assert trial.draws.tolist() == [row[4] for row in expected]


def test_ties_count_against_the_query_in_both_searches() -> None:
    given = material()
    same = Material("same", Unit.CATEGORY, given.sketches, np.repeat(given.photos[:1], 21, axis=0), given.tasks)
    trial = run(same, [NoAdaptation()], [1], draws=1)
    assert set(map(tuple, trial.ranks["no adaptation", 1].tolist())) == {(7, 21)}


def test_the_same_seed_gives_the_same_trial_and_another_one_another() -> None:
    first, again, other = (run(material(), METHODS, KS, draws=2, seed=seed) for seed in (1, 1, 2))
    for arm, found in first.ranks.items():
        np.testing.assert_array_equal(found, again.ranks[arm])
    assert not np.array_equal(first.photos, other.photos)


def test_a_gain_is_the_mean_difference_query_by_query_and_certain_only_without_zero() -> None:
    photos = np.repeat(np.arange(10), 2)
    better, worse = np.full((20, 2), 1), np.full((20, 2), 9)
    mixed = np.where((np.arange(20) < 10)[:, None], better, worse)
    trial = Trial(
        "made up", Unit.CATEGORY, ("one",), photos, np.zeros(20, np.int64), photos,
        {("plain", 1): worse, ("good", 1): better, ("half", 1): mixed, ("half", 5): better},
    )  # fmt: skip
    assert resampled(trial)[0] == "photos"
    plain, good, half = arm_figures(trial, [("plain", 1), ("good", 1), ("half", 1)], "plain")
    assert plain.gains["task", 1].value == 0
    assert not plain.gains["task", 1].is_significant
    assert good.gains["task", 1].value == good.shares["whole", 5].value == 1
    assert good.gains["task", 1].is_significant
    assert half.shares["task", 1].value == 0.5
    interval = half.gains["task", 1].interval
    assert interval is not None
    assert 0.1 < interval.low < 0.5 < interval.high < 0.9  # of ten photos, not of twenty sketches
    assert difference(trial, ("half", 5), ("half", 1)).value == 0.5
    assert by_task(trial, ("half", 1)).tolist() == [0.5]


def test_intervals_draw_tasks_anew_where_there_are_enough() -> None:
    tasks = np.repeat(np.arange(6), 4)
    trial = Trial("made up", Unit.PERSON, tuple("abcdef"), np.arange(24), tasks, tasks, {})
    words, numbers = resampled(trial)
    assert words == "people"
    np.testing.assert_array_equal(numbers, tasks)


def test_whitening_is_the_inverse_root_of_the_shrunken_covariance() -> None:
    given = material()
    photos = given.photos[given.tasks[0].gallery]
    head = Whitening(0.7).fit(photos[:0], np.empty(0, np.int64), photos)
    mean = CategoryAdapter.centred(photos).mean
    covariance = (photos - mean).T @ (photos - mean) / len(photos)
    floor = 0.7 * np.trace(covariance) / (len(photos) - 1)
    values, axes = np.linalg.eigh(covariance + floor * np.eye(12))
    expected = (given.sketches - mean) @ (axes / np.sqrt(values)) @ axes.T
    np.testing.assert_allclose(head.embed_sketches(given.sketches), unit(expected), atol=1e-4)


def test_ridge_regression_minimises_what_it_says() -> None:
    given = material()
    one = episode(given.tasks[1], 3)
    photos, drawn = given.photos[one.task.gallery], given.sketches[one.support]
    head = RidgeRegression(0.5).fit(drawn, one.support_targets, photos)
    mean = CategoryAdapter.centred(photos).mean
    rows, wanted = drawn - mean, photos[one.support_targets] - mean
    # The minimum of |AW - B|² + prior |W - I|², solved as least squares of stacked rows.
    root = np.sqrt(0.5) * np.eye(12)
    weights = np.linalg.lstsq(np.concatenate([rows, root]), np.concatenate([wanted, root]), rcond=None)[0]
    np.testing.assert_allclose(head.embed_sketches(given.sketches), unit((given.sketches - mean) @ weights), atol=1e-4)
    np.testing.assert_allclose(
        head.embed_photos(photos), CategoryAdapter.centred(photos).embed_photos(photos), atol=1e-6
    )


def test_prototypes_move_sketches_by_the_shrunken_mean_difference() -> None:
    given = material()
    one = episode(given.tasks[2], 3)
    photos, drawn = given.photos[one.task.gallery], given.sketches[one.support]
    head = Prototypes(2.0).fit(drawn, one.support_targets, photos)
    shift = np.mean([photos[t] - s for s, t in zip(drawn, one.support_targets, strict=True)], axis=0) * 3 / 5
    mean = CategoryAdapter.centred(photos).mean
    np.testing.assert_allclose(head.embed_sketches(given.sketches), unit(given.sketches - mean + shift), atol=1e-5)
