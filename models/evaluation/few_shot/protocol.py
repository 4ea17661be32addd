"""The few-shot protocol: all methods run over the same episodes; each holdout sketch is a query for its photo.

There are two searches. `task`: among the task's photos of the right photo's category, as a search scoped to a category
does (for a category's task that is its gallery, for a person's task the objects of that kind). `whole`: among all
photos of the split. There plain cosines decide which ranks go to the task's photos, and the adapter which of them has
which: an adapter knows nothing of other categories' photos, and its scores next to theirs would give the query's
category away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from models.arrays import Rows, Vectors
from models.data.sampling.episodes import DRAWS, Episode, Task, episode
from models.evaluation.few_shot.methods import Method, TaskAdapter
from models.ranking import TIE, ranks_of

TASK, WHOLE = "task", "whole"
SEARCHES = (TASK, WHOLE)


class Unit(StrEnum):
    """What the sketches of a task have in common."""

    CATEGORY = "category"
    PERSON = "person"

    @property
    def plural(self) -> str:
        """The word for several, as tables and pages write it."""
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
    """The ranks of every method. Query q of the Q is the same one in every array.

    `photos`, `tasks`, `draws` (Q,): the row of the query's photo, the number of its task and of the draw. `ranks`: of
    each (method, k) the (Q, 2) ranks from 1, in the order of SEARCHES. A method that uses no examples has the same for
    each k.
    """

    material: str
    unit: Unit
    task_names: tuple[str, ...]
    photos: Rows
    tasks: Rows
    draws: Rows
    ranks: Mapping[tuple[str, int], Rows]


def run(
    material: Material,
    methods: Sequence[Method],
    ks: Sequence[int],
    *,
    draws: int = DRAWS,
    seed: int = 0,
    progress: Callable[[], object] | None = None,
) -> Trial:
    """Run each method on each episode; `progress` is called after each draw of a task."""
    queries: list[Rows] = []
    ranks: dict[tuple[str, int], list[Rows]] = {(method.name, k): [] for method in methods for k in ks}
    for number, task in enumerate(material.tasks):
        fixed = {
            method.name: _without_examples(method, material, task) for method in methods if not method.uses_examples
        }
        for draw in range(draws):
            drawn = [episode(task, k, draw, seed=seed) for k in ks]  # their holdout is the same
            queries.append(_queries(drawn[0], number))
            for key, found in _draw_ranks(material, methods, fixed, drawn).items():
                ranks[key].append(found)
            if progress is not None:
                progress()
    columns = np.concatenate(queries)
    return Trial(
        material=material.name,
        unit=material.unit,
        task_names=tuple(task.name for task in material.tasks),
        photos=columns[:, 0],
        tasks=columns[:, 1],
        draws=columns[:, 2],
        ranks={key: np.concatenate(parts) for key, parts in ranks.items()},
    )


def _draw_ranks(
    material: Material, methods: Sequence[Method], fixed: Mapping[str, TaskAdapter], drawn: Sequence[Episode]
) -> dict[tuple[str, int], Rows]:
    """(Q, 2) ranks of each (method, k) in one draw, whose episodes differ in k alone."""
    task = drawn[0].task
    photos, queries = material.photos[task.gallery], material.sketches[drawn[0].holdout]
    # The same for every method, because plain cosines alone decide it; see the module.
    slots = whole_ranks(queries @ material.photos.T, task)
    ranks = {}
    for method in methods:
        if method.name in fixed:
            same = _search(fixed[method.name], queries, photos, drawn[0], slots)
            ranks.update({(method.name, one.k): same for one in drawn})
    for one in drawn:
        support = material.sketches[one.support]
        for method in methods:
            if method.uses_examples:
                # Examples of two k differ, so nothing can be shared between them as above.
                adapter = method.fit(support, one.support_targets, photos)
                ranks[method.name, one.k] = _search(adapter, queries, photos, one, slots)
    return ranks


def task_ranks(scores: Vectors, one: Episode) -> Rows:
    """(Q, G) scores of the task's photos -> (Q,) ranks among those of the right photo's category."""
    categories = one.task.categories
    other = categories[None, :] != categories[one.holdout_targets][:, None]
    return ranks_of(np.where(other, -np.inf, scores), one.holdout_targets)


def whole_ranks(plain: Vectors, task: Task) -> Rows:
    """(Q, all) plain cosines -> (Q, G) the rank among all photos of each query's best, second best, ... of the task's.

    Other photos that tie with them come before them, since ties count against the query.
    """
    # Negated twice: numpy sorts upwards only.
    best = -np.sort(-plain[:, task.gallery], axis=1)
    others = np.delete(plain, task.gallery, axis=1)
    before: Rows = np.stack(
        [len(row) - np.searchsorted(np.sort(row), mine - TIE) for row, mine in zip(others, best, strict=True)]
    )
    return before + np.arange(1, best.shape[1] + 1)


def _search(adapter: TaskAdapter, queries: Vectors, photos: Vectors, one: Episode, slots: Rows) -> Rows:
    """(Q, 2) ranks, in the order of SEARCHES; `slots`: see `whole_ranks`."""
    scores = adapter.embed_sketches(queries) @ adapter.embed_photos(photos).T
    among = ranks_of(scores, one.holdout_targets)
    whole = np.take_along_axis(slots, among[:, None] - 1, axis=1)[:, 0]
    return np.stack([task_ranks(scores, one), whole], axis=1)


def _without_examples(method: Method, material: Material, task: Task) -> TaskAdapter:
    photos = material.photos[task.gallery]
    return method.fit(photos[:0], np.empty(0, np.int64), photos)


def _queries(one: Episode, number: int) -> Rows:
    """(Q, 3): photo, task, draw."""
    photos = one.task.gallery[one.holdout_targets]
    return np.stack([photos, np.full_like(photos, number), np.full_like(photos, one.draw)], axis=1)
