"""Episodes of few-shot adaptation: a support to adapt on, a holdout to be measured on. Row numbers only, no images.

A task is a category (every sketch of its photos) or a person (every sketch by this person). An episode of it:

1. The task's drawn photos are shuffled. The first of them, at most 10 and never so many that fewer than two are left,
   are the support's; all others are held out. So no photo of the holdout is ever in the support.
2. The support takes one sketch of each of its photos in turn, then a second one of each, and so on, up to k. Where its
   photos have fewer than k sketches, it is all of them (categories of Sketchy here: 3 to 5 drawn photos, about 5
   sketches of each).
3. The holdout is every sketch of the photos held out. The gallery is all of the task's photos: those of the support
   stay in it, and photos that nobody drew are in it too (the protocol of Adaptive FG-SBIR, ECCV 2022).

The shuffle depends on seed, task and draw alone. So the episodes of one draw have the same holdout for every k, and the
support of k = 1 is part of that of k = 5: their results can be compared query by query.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import Rows
from models.data.datasets import PhotoKey
from models.errors import InkseekError

DRAWS = 50
"""Draws of each task in the standard protocol."""
SUPPORT_PHOTOS = 10
"""At most so many photos of a task may be in its support."""
HELD_OUT_PHOTOS = 2
"""At least so many photos of a task are held out: with one, every holdout sketch would have the same target."""


class NoTasks(InkseekError):
    """No category or person has enough drawn photos to leave two of them out."""


@dataclass(frozen=True)
class Task:
    """A category, or a person. Rows are those of the sketches and photos that the task was made of.

    `sketches` (N,) rows; `targets` (N,) the position of each one's photo in `gallery`; `gallery` (G,) rows of photos,
    ascending; `categories` (G,) the category of each, numbered from 0 by name: all 0 where the task is a category.
    """

    name: str
    sketches: Rows
    targets: Rows
    gallery: Rows
    categories: Rows


@dataclass(frozen=True)
class Episode:
    """`support` (S,) and `holdout` (Q,) rows of sketches; their `_targets`: positions of their photos in the gallery.

    `draw`: its number among the task's. S is at most k.
    """

    task: Task
    k: int
    draw: int
    support: Rows
    support_targets: Rows
    holdout: Rows
    holdout_targets: Rows


def category_tasks(
    drawn: Sequence[PhotoKey],
    photos: Sequence[PhotoKey],
    *,
    rows: Sequence[int] | Rows | None = None,
    gallery: Sequence[int] | Rows | None = None,
) -> tuple[Task, ...]:
    """The photo of each sketch, and all photos -> one task per category that can be divided, by name.

    `rows`: the sketches that may be used, such as those of a split; `gallery`: the photos that may be. A sketch whose
    photo is not in the gallery is left out. Raises NoTasks.
    """
    chosen = _chosen(rows, len(drawn))
    names = sorted({drawn[row].category for row in chosen})
    return _divisible(
        _task(name, [row for row in chosen if drawn[row].category == name], {name}, drawn, photos, gallery)
        for name in names
    )


def person_tasks(
    drawn: Sequence[PhotoKey],
    people: Sequence[str],
    photos: Sequence[PhotoKey],
    *,
    rows: Sequence[int] | Rows | None = None,
    gallery: Sequence[int] | Rows | None = None,
) -> tuple[Task, ...]:
    """The photo of each sketch, who drew it, and all photos -> one task per person, by name.

    The gallery: all photos of the categories that the person drew of. Sketches of nobody known (empty) are left out.
    `rows` and `gallery` as in `category_tasks`. Raises NoTasks.
    """
    chosen = [row for row in _chosen(rows, len(drawn)) if people[row]]
    mine: dict[str, list[int]] = {}
    for row in chosen:
        mine.setdefault(people[row], []).append(row)
    return _divisible(
        _task(name, own, {drawn[row].category for row in own}, drawn, photos, gallery)
        for name, own in sorted(mine.items())
    )


def episodes(
    tasks: Sequence[Task], k: int, *, draws: int = DRAWS, seed: int = 0, support_photos: int = SUPPORT_PHOTOS
) -> Iterator[Episode]:
    """`draws` episodes of each task, in order. The same for the same arguments, whatever the other tasks are."""
    for task in tasks:
        for number in range(draws):
            yield episode(task, k, number, seed=seed, support_photos=support_photos)


def episode(task: Task, k: int, draw: int = 0, *, seed: int = 0, support_photos: int = SUPPORT_PHOTOS) -> Episode:
    """One episode of the task, as the head of this module says. k and `support_photos` from 1."""
    # `hash` of a string differs between processes; crc32 of its name does not.
    random = np.random.default_rng([seed, zlib.crc32(task.name.encode()), draw])
    photos = random.permutation(np.unique(task.targets))
    pool = photos[: max(1, min(support_photos, len(photos) - HELD_OUT_PHOTOS))]
    turns, order = np.empty(len(task.targets), np.int64), random.permutation(len(task.targets))
    for photo in photos:  # which turn of its photo a sketch is
        own = order[task.targets[order] == photo]
        turns[own] = np.arange(len(own))
    # The place of each photo in the shuffle. Photos that nobody drew have none, and are never looked up.
    shuffled = np.empty(task.gallery.size, np.int64)
    shuffled[photos] = np.arange(len(photos))
    # First all first sketches in the photos' shuffled order, then all second ones, and so on.
    queue = np.lexsort((shuffled[task.targets], turns))
    in_pool = np.isin(task.targets, pool)
    # Cut last: a larger k only adds to what a smaller one took.
    support = queue[in_pool[queue]][:k]
    holdout = np.flatnonzero(~in_pool)
    return Episode(
        task=task,
        k=k,
        draw=draw,
        support=task.sketches[support],
        support_targets=task.targets[support],
        holdout=task.sketches[holdout],
        holdout_targets=task.targets[holdout],
    )


def _chosen(rows: Sequence[int] | Rows | None, count: int) -> list[int]:
    return list(range(count)) if rows is None else [int(row) for row in rows]


def _task(
    name: str,
    rows: Sequence[int],
    categories: set[str],
    drawn: Sequence[PhotoKey],
    photos: Sequence[PhotoKey],
    allowed: Sequence[int] | Rows | None,
) -> Task:
    gallery = [row for row in sorted(_chosen(allowed, len(photos))) if photos[row].category in categories]
    position = {photos[row]: number for number, row in enumerate(gallery)}
    rows = [row for row in rows if drawn[row] in position]
    number_of = {category: number for number, category in enumerate(sorted(categories))}
    return Task(
        name=name,
        sketches=np.array(rows, dtype=np.int64),
        targets=np.array([position[drawn[row]] for row in rows], dtype=np.int64),
        gallery=np.array(gallery, dtype=np.int64),
        categories=np.array([number_of[photos[row].category] for row in gallery], dtype=np.int64),
    )


def _divisible(tasks: Iterator[Task]) -> tuple[Task, ...]:
    """Those with at least one photo for the support beside the two that are held out."""
    divisible = tuple(task for task in tasks if len(np.unique(task.targets)) > HELD_OUT_PHOTOS)
    if not divisible:
        raise NoTasks(f"no category or person has drawings of more than {HELD_OUT_PHOTOS} photos: no episodes")
    return divisible
