"""The protocol: methods run over the same episodes, every sketch of a photo held out asked for its photo.

Two figures. `task`: searched among the task's photos of the asked photo's category, as a search scoped to a category
does (for a category's task that is its gallery, for a person's the objects of that kind). `whole`: among all photos of
the split. There plain cosines say which places go to the task's photos, and the head which of them gets which: a head
knows nothing of other categories' photos, and its scores beside theirs would tell the query's category.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from models.arrays import Rows, Vectors
from models.data.sampling.episodes import DRAWS, Episode, Task, episode
from models.evaluation.few_shot.methods import Head, Method
from models.ranking import TIE, ranks_of

TASK, WHOLE = "task", "whole"
SEARCHES = (TASK, WHOLE)


class Unit(StrEnum):
    """What a task is."""

    CATEGORY = "category"
    PERSON = "person"

    @property
    def plural(self) -> str:
        """Of several."""
        return "categories" if self is Unit.CATEGORY else "people"


@dataclass(frozen=True)
class Material:
    """The embeddings that tasks refer to: `sketches` (N, E), `photos` (G, E), rows of length 1; and the tasks."""

    name: str
    unit: Unit
    sketches: Vectors
    photos: Vectors
    tasks: tuple[Task, ...]


@dataclass(frozen=True)
class Trial:
    """What every method found. Query q of the Q is the same one in every array.

    `photos`, `tasks`, `draws` (Q,): the row of the asked photo, the number of its task and of the draw. `found`: of
    each (method, k) the (Q, 2) ranks from 1, in the order of SEARCHES. A method that uses no examples has the same for
    each k.
    """

    material: str
    unit: Unit
    task_names: tuple[str, ...]
    photos: Rows
    tasks: Rows
    draws: Rows
    found: Mapping[tuple[str, int], Rows]


def run(
    material: Material,
    methods: Sequence[Method],
    ks: Sequence[int],
    *,
    draws: int = DRAWS,
    seed: int = 0,
    progress: Callable[[], object] | None = None,
) -> Trial:
    """Each method on each episode; `progress` is called after each draw of a task."""
    asked: list[Rows] = []
    found: dict[tuple[str, int], list[Rows]] = {(method.name, k): [] for method in methods for k in ks}
    for number, task in enumerate(material.tasks):
        photos = material.photos[task.gallery]
        unfitted = {method.name: _before_examples(method, photos) for method in methods if not method.uses_examples}
        for draw in range(draws):
            ones = [episode(task, k, draw, seed=seed) for k in ks]  # their holdout is the same
            queries = material.sketches[ones[0].holdout]
            places = whole_places(queries @ material.photos.T, task)
            asked.append(_asked(ones[0], number))
            for method in methods:
                if method.name in unfitted:
                    placed = _search(unfitted[method.name], queries, photos, ones[0], places)
                    for k in ks:
                        found[method.name, k].append(placed)
            for one in ones:
                examples = material.sketches[one.support], one.support_targets, photos
                for method in methods:
                    if method.uses_examples:
                        placed = _search(method.fit(*examples), queries, photos, one, places)
                        found[method.name, one.k].append(placed)
            if progress is not None:
                progress()
    columns = np.concatenate(asked)
    return Trial(
        material=material.name,
        unit=material.unit,
        task_names=tuple(task.name for task in material.tasks),
        photos=columns[:, 0],
        tasks=columns[:, 1],
        draws=columns[:, 2],
        found={key: np.concatenate(parts) for key, parts in found.items()},
    )


def task_ranks(scores: Vectors, one: Episode) -> Rows:
    """(Q, G) scores of the task's photos -> (Q,) ranks among those of the asked photo's category."""
    kinds = one.task.kinds
    other = kinds[None, :] != kinds[one.holdout_targets][:, None]
    return ranks_of(np.where(other, -np.inf, scores), one.holdout_targets)


def whole_places(plain: Vectors, task: Task) -> Rows:
    """(Q, all) plain cosines -> (Q, G) the rank among all photos of each query's first, second, ... of the task's.

    Other photos that tie with them come before them, since ties count against the query.
    """
    best = -np.sort(-plain[:, task.gallery], axis=1)
    others = np.delete(plain, task.gallery, axis=1)
    before: Rows = np.stack(
        [len(row) - np.searchsorted(np.sort(row), mine - TIE) for row, mine in zip(others, best, strict=True)]
    )
    return before + np.arange(1, best.shape[1] + 1)


def _search(head: Head, queries: Vectors, photos: Vectors, one: Episode, places: Rows) -> Rows:
    """(Q, 2) ranks, in the order of SEARCHES."""
    scores = head.sketches(queries) @ head.photos(photos).T
    among = ranks_of(scores, one.holdout_targets)
    whole = np.take_along_axis(places, among[:, None] - 1, axis=1)[:, 0]
    return np.stack([task_ranks(scores, one), whole], axis=1)


def _before_examples(method: Method, photos: Vectors) -> Head:
    return method.fit(photos[:0], np.empty(0, np.int64), photos)


def _asked(one: Episode, number: int) -> Rows:
    """(Q, 3): photo, task, draw."""
    photos = one.task.gallery[one.holdout_targets]
    return np.stack([photos, np.full_like(photos, number), np.full_like(photos, one.draw)], axis=1)
