"""Episodes: what is in a support, what is held out, and that it stays the same."""

from __future__ import annotations

import numpy as np
import pytest

from models.data.datasets import PhotoKey
from models.data.sampling.episodes import NoTasks, category_tasks, episode, episodes, person_tasks

# Category -> how many sketches each drawn photo has; two more photos of each have none.
SKETCHES = {"owl": (5, 6, 4, 5), "cup": (1, 2, 9), "lone": (3, 3), "shoe": (3,) * 30}
PHOTOS = [PhotoKey(name, f"{n:02d}") for name, counts in SKETCHES.items() for n in range(len(counts) + 2)]
DRAWN = [
    PhotoKey(name, f"{n:02d}")
    for name, counts in SKETCHES.items()
    for n, times in enumerate(counts)
    for _ in range(times)
]


@pytest.mark.parametrize("k", [1, 5, 10])
def test_no_photo_of_the_holdout_is_in_the_support(k: int) -> None:
    for one in episodes(category_tasks(DRAWN, PHOTOS), k, draws=20):
        support = {DRAWN[row] for row in one.support}
        holdout = {DRAWN[row] for row in one.holdout}
        assert not support & holdout
        assert len(holdout) >= 2
        assert {key.category for key in support | holdout} == {one.task.name}
        # Targets are places in the gallery, and every sketch of a photo that is held out is asked.
        gallery = [PHOTOS[row] for row in one.task.gallery]
        assert [gallery[place] for place in one.support_targets] == [DRAWN[row] for row in one.support]
        assert [gallery[place] for place in one.holdout_targets] == [DRAWN[row] for row in one.holdout]
        assert sorted(one.holdout) == [row for row, key in enumerate(DRAWN) if key in holdout]
        assert len(gallery) == len(SKETCHES[one.task.name]) + 2
        # k sketches, each photo in turn, unless the support's photos have no more.
        counts = [sum(DRAWN[row] == key for row in one.support) for key in support]
        has = [sum(drawn == key for drawn in DRAWN) for key in support]
        assert len(one.support) == k or counts == has
        assert all(count >= max(counts) - 1 or count == all_of for count, all_of in zip(counts, has, strict=True))
        assert len(set(one.support)) == len(one.support)


def test_a_category_that_leaves_no_two_photos_out_is_no_task() -> None:
    assert [task.name for task in category_tasks(DRAWN, PHOTOS)] == ["cup", "owl", "shoe"]
    with pytest.raises(NoTasks):
        category_tasks(DRAWN, PHOTOS, rows=[row for row, key in enumerate(DRAWN) if key.category == "lone"])


def test_draws_are_the_same_for_every_k_and_whatever_else_is_drawn() -> None:
    tasks = category_tasks(DRAWN, PHOTOS)
    for one, five, ten in zip(*(episodes(tasks, k, draws=4, seed=3) for k in (1, 5, 10)), strict=True):
        np.testing.assert_array_equal(one.holdout, ten.holdout)
        np.testing.assert_array_equal(five.support, ten.support[:5])
        np.testing.assert_array_equal(one.support, five.support[:1])
        np.testing.assert_array_equal(episode(five.task, 5, five.draw, seed=3).support, five.support)
    assert len({episode(tasks[2], 5, draw).support.tobytes() for draw in range(20)}) == 20
    assert any(
        episode(tasks[1], 5, draw, seed=1).support.tolist() != episode(tasks[1], 5, draw).support.tolist()
        for draw in range(3)
    )


def test_rows_and_gallery_keep_to_what_is_allowed() -> None:
    rows = [row for row, key in enumerate(DRAWN) if key.category == "shoe" and key.photo_id < "08"]
    allowed = [row for row, key in enumerate(PHOTOS) if key.photo_id < "20"]
    (task,) = category_tasks(DRAWN, PHOTOS, rows=rows, gallery=allowed)
    assert task.sketches.tolist() == rows
    assert [PHOTOS[row].photo_id for row in task.gallery] == [f"{n:02d}" for n in range(20)]


def test_a_persons_holdout_is_of_other_objects_and_the_gallery_is_all_they_drew_of() -> None:
    photos = [PhotoKey(name, str(n)) for name in ("bird", "car", "dog") for n in range(5)]
    drawn = [photo for photo in photos[:10] for _ in range(3)] + [photos[12]]
    people = ["ann", "bo", ""] * 10 + ["cy"]
    tasks = person_tasks(drawn, people, photos)
    assert [task.name for task in tasks] == ["ann", "bo"]  # cy drew one object alone
    for one in episodes(tasks, 5, draws=10):
        assert {people[row] for row in (*one.support, *one.holdout)} == {one.task.name}
        assert len({drawn[row] for row in one.support}) == 5
        assert not {drawn[row] for row in one.support} & {drawn[row] for row in one.holdout}
        assert [photos[row].category for row in one.task.gallery] == ["bird"] * 5 + ["car"] * 5
        assert one.task.categories.tolist() == [0] * 5 + [1] * 5
