"""The study as study.json and study.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.atomic_files import write_json, write_text
from models.evaluation.few_shot.figures import by_task
from models.evaluation.few_shot.results import Result, document, markdown


@dataclass(frozen=True)
class Study:
    """`result`: the families over episodes; `bound`: by all pairs of the other photos. `chosen`: the members of each
    family for even and odd tasks. `gates`: confusions of the gate, see `gate_episodes.confusion`.
    """

    bundle_id: str
    result: Result
    bound: Result
    chosen: Mapping[str, tuple[str, str]]
    gates: Mapping[str, Mapping[str, float]]

    def lost(self, name: str, k: int) -> dict[str, float]:
        """Category -> points of acc@1 lost against the baseline, of those that lost more than half a point."""
        trial = self.result.trial
        change = 100 * (by_task(trial, (name, k)) - by_task(trial, (self.result.baseline, k)))
        return {trial.task_names[task]: round(float(change[task]), 1) for task in np.flatnonzero(change < -0.5)}


def write(out: Path, study: Study) -> None:
    """Write both files. Raises OSError."""
    out.mkdir(parents=True, exist_ok=True)
    k = study.result.ks[-1]
    losses = {name: study.lost(name, k) for name in study.result.methods}
    write_json(
        out / "study.json",
        {
            "bundle_id": study.bundle_id,
            "episodes": document([study.result]),
            "bound": document([study.bound]),
            "chosen": {name: list(members) for name, members in study.chosen.items()},
            "gate": {name: dict(shares) for name, shares in study.gates.items()},
            "categories_that_lost": {"k": k, **losses},
        },
    )
    lines = [f"Bundle: {study.bundle_id}", "", markdown(study.result), markdown(study.bound)]
    lines += [f"- {name}: {' | '.join(dict.fromkeys(members))}" for name, members in study.chosen.items()]
    for name, shares in study.gates.items():
        lines.append(f"- gate, {name}: {', '.join(f'{what} {share:.4g}' for what, share in shares.items())}")
    write_text(out / "study.md", "\n".join(lines) + "\n")
