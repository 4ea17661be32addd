"""The results of trials, with their figures, as JSON and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from models.evaluation.few_shot.figures import ArmFigures, Share, arm_figures, resampled
from models.evaluation.few_shot.protocol import TASK, WHOLE, Trial
from models.evaluation.intervals import LEVEL, RESAMPLES


@dataclass(frozen=True)
class Result:
    """A trial with its figures. `methods` are in the order of the table; gains are over `baseline`."""

    trial: Trial
    methods: tuple[str, ...]
    ks: tuple[int, ...]
    baseline: str
    draws: int
    seed: int = 0

    @cached_property
    def figures(self) -> dict[tuple[str, int], ArmFigures]:
        """The figures of each (method, k)."""
        arms = [(name, k) for name in self.methods for k in self.ks]
        return {each.arm: each for each in arm_figures(self.trial, arms, self.baseline, seed=self.seed)}

    @property
    def is_whole_apart(self) -> bool:
        """Whether the whole gallery ranks differently from the task's; where it does not, its column is left out."""
        return any((ranks[:, 0] != ranks[:, 1]).any() for ranks in self.trial.ranks.values())

    @property
    def lead(self) -> str:
        """Tasks, draws, queries and what the intervals resample, in a sentence."""
        tasks, queries = len(self.trial.task_names), len(self.trial.photos)
        named = f"{tasks} {self.trial.unit.plural if tasks > 1 else self.trial.unit}"
        return (
            f"{named}, {self.draws} draws per {self.trial.unit}, {queries:,} queries in all; the intervals resample "
            f"{resampled(self.trial)[0]}."
        )


def document(results: Sequence[Result]) -> dict[str, Any]:
    """By the name of the split: what was run, and each arm's shares in [0, 1] with intervals and gains."""
    return {
        result.trial.material: {
            "unit": result.trial.unit.value,
            "tasks": len(result.trial.task_names),
            "queries": len(result.trial.photos),
            "draws": result.draws,
            "intervals": {
                "level": LEVEL,
                "resamples": RESAMPLES,
                "of": resampled(result.trial)[0],
                "seed": result.seed,
            },
            "baseline": result.baseline,
            "arms": [_arm(figures) for figures in result.figures.values()],
        }
        for result in results
    }


def _arm(figures: ArmFigures) -> dict[str, Any]:
    method, k = figures.arm
    searches = {
        search: {
            f"acc_at_{at}": {
                **figures.shares[search, at].as_dict(),
                "gain": figures.gains[search, at].as_dict(),
            }
            for at in (1, 5)
        }
        for search in (TASK, WHOLE)
    }
    return {"method": method, "k": k, **searches}


def markdown(result: Result) -> str:
    """A table: acc@1 / acc@5 within the task for each k, the gain in acc@1 with its interval, the whole gallery."""
    whole = result.is_whole_apart
    heads = ["method"]
    for k in result.ks:
        heads += [f"k = {k}: @1 / @5", "gain @1", *(["whole @1"] if whole else [])]
    lines = [f"### {result.trial.material}", "", result.lead, "", _row(heads), _row(["---"] * len(heads))]
    for name in result.methods:
        cells = [name]
        for k in result.ks:
            figures = result.figures[name, k]
            first, five = figures.shares[TASK, 1], figures.shares[TASK, 5]
            cells.append(f"{percent(first)} / {percent(five)}")
            cells.append("" if name == result.baseline else gain(figures.gains[TASK, 1]))
            if whole:
                cells.append(percent(figures.shares[WHOLE, 1]))
        lines.append(_row(cells))
    return "\n".join(lines) + "\n"


def percent(share: Share) -> str:
    """0.4321 -> `43.2`."""
    return f"{100 * share.value:.1f}"


def gain(share: Share) -> str:
    """`+4.0 [0.6, 7.4]`, in points."""
    if share.interval is None:
        return f"{100 * share.value:+.1f}"
    return f"{100 * share.value:+.1f} [{100 * share.interval.low:.1f}, {100 * share.interval.high:.1f}]"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
