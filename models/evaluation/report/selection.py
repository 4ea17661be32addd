"""Which queries and categories a report shows: few, and chosen the same way each time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.evaluation.dataset_evaluation import Evaluation

SAMPLE = 12
WORST = 12
WORST_CATEGORIES = 5
ROWS_OF_A_CATEGORY = 2


def sample(evaluation: Evaluation, seed: int) -> list[int]:
    """Rows of queries, one drawn from each twelfth of them, the best ranked first.

    Twelve drawn uniformly would now and then look far better or worse than the figures are.
    """
    random = np.random.default_rng(seed)
    shuffled = random.permutation(len(evaluation.records))  # equal ranks in no order of names
    by_rank = shuffled[np.argsort(evaluation.served.rankings.ranks[shuffled], kind="stable")]
    return [int(random.choice(part)) for part in np.array_split(by_rank, min(SAMPLE, len(by_rank)))]


def worst(evaluation: Evaluation, count: int = WORST, category: str | None = None) -> list[int]:
    """Rows of the queries ranked worst, one per photo, the worst first; none whose photo is ranked first."""
    ranks, records = evaluation.served.rankings.ranks, evaluation.records
    rows = [row for row in range(len(records)) if category in (None, records[row].photo.category) and ranks[row] > 1]
    rows.sort(key=lambda row: (-int(ranks[row]), row))
    chosen: list[int] = []
    for row in rows:
        if records[row].photo not in {records[other].photo for other in chosen}:
            chosen.append(row)
        if len(chosen) == count:
            break
    return chosen


def from_best_to_worst(evaluation: Evaluation) -> Sequence[str]:
    """The categories by acc@1, equal ones by mAP, then by name."""

    def key(name: str) -> tuple[float, float, str]:
        figures = evaluation.served.categories[name].figures
        return -figures.acc_at_1, -figures.mean_average_precision, name

    return sorted(evaluation.served.categories, key=key)


def worst_categories(evaluation: Evaluation) -> Sequence[str]:
    """The last few with a miss, the worst first; none where there are so few that the table shows them all."""
    names = [name for name in from_best_to_worst(evaluation) if evaluation.served.categories[name].figures.acc_at_1 < 1]
    # From the end backwards: the order is from best to worst, and the worst is to come first.
    return names[: -WORST_CATEGORIES - 1 : -1] if len(evaluation.served.categories) > WORST_CATEGORIES else ()
