"""The gate over episodes: what it expected of a fit, and what the fit gained on photos that were held out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from models.adapters import Adaptation, Adapter, CategoryAdapter, LiveSupport
from models.adapters.gate import spread_ratio
from models.arrays import Rows, Vectors
from models.data.sampling.episodes import episode
from models.evaluation.few_shot.protocol import Material
from models.ranking import ranks_of


@dataclass(frozen=True)
class GateEpisode:
    """`gain`, `first_gain`: of the mean of 1 / rank and of acc@1 on the holdout, over what serves otherwise.

    `activated`: the gate's decision; `expected`: the gain that it expected, None without a prior. `photos`: of the
    support. `spread`: its `spread_ratio`.
    """

    task: int
    k: int
    photos: int
    gain: float
    first_gain: float
    activated: bool
    expected: float | None
    spread: float | None = None

    @property
    def is_right(self) -> bool:
        """Whether acc@1 on the holdout is not lower by the decision than by the other one."""
        return self.first_gain >= 0 if self.activated else self.first_gain <= 0


def gate_episodes(
    material: Material,
    layout_of: Callable[[Vectors], Vectors],
    adaptation: Adaptation | Sequence[Adaptation],
    ks: Sequence[int],
    *,
    draws: int,
    seed: int = 0,
    live_k: int | None = None,
) -> list[GateEpisode]:
    """Fit, decide and measure each episode. `live_k`: the support of that many examples is active already.

    `adaptation`: one for all tasks, or one for even and one for odd tasks.
    """
    sketches, photos = layout_of(material.sketches), layout_of(material.photos)
    found = []
    for number, task in enumerate(material.tasks):
        own = adaptation if isinstance(adaptation, Adaptation) else adaptation[number % len(adaptation)]
        gallery = photos[task.gallery]
        for draw in range(draws):
            for k in ks:
                one, live, serving = episode(task, k, draw, seed=seed), None, CategoryAdapter.centred(gallery)
                if live_k is not None:
                    first = episode(task, live_k, draw, seed=seed)
                    live = LiveSupport(sketches[first.support], first.support_targets)
                    serving = own.fit_category(live.sketches, live.positives, gallery).adapter
                fitted = own.fit_category(sketches[one.support], one.support_targets, gallery, live)
                before, after = (
                    _ranks(adapter, sketches[one.holdout], gallery, one.holdout_targets)
                    for adapter in (serving, fitted.adapter)
                )
                expected = fitted.leave_one_out.expected
                found.append(
                    GateEpisode(
                        task=number,
                        k=k,
                        photos=len(np.unique(one.support_targets)),
                        gain=float((1 / after - 1 / before).mean()),
                        first_gain=float((after == 1).mean() - (before == 1).mean()),
                        activated=fitted.passes_gate,
                        expected=None if expected is None else expected.mean,
                        spread=spread_ratio(sketches[one.support], one.support_targets, gallery),
                    )
                )
    return found


def confusion(episodes: Sequence[GateEpisode]) -> dict[str, float]:
    """Shares of the episodes: the decision, by what happened to acc@1 on the holdout; and how often it was right."""
    shares: dict[str, float] = {}
    for decision, activated in (("activated", True), ("not_activated", False)):
        own = [each.first_gain for each in episodes if each.activated is activated]
        for outcome, count in (
            ("better", sum(gain > 0 for gain in own)),
            ("same", sum(gain == 0 for gain in own)),
            ("worse", sum(gain < 0 for gain in own)),
        ):
            shares[f"{decision}_{outcome}"] = count / len(episodes)
    shares["right"] = sum(each.is_right for each in episodes) / len(episodes)
    shares["mean_gain"] = float(np.mean([each.gain for each in episodes]))
    shares["mean_gain_gated"] = float(np.mean([each.gain * each.activated for each in episodes]))
    return {name: round(share, 4) for name, share in shares.items()}


def _ranks(adapter: Adapter, sketches: Vectors, photos: Vectors, targets: Rows) -> Rows:
    return ranks_of(adapter.embed_sketches(sketches) @ adapter.embed_photos(photos).T, targets)
