"""How strongly a drawing style counts: chosen on people who are not the ones that it is measured on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from models.adapters.state import Adaptation
from models.adapters.style import StyleRule, surroundings
from models.arrays import Vectors
from models.data.datasets import PhotoKey
from models.data.sampling.episodes import episode
from models.evaluation.few_shot.material import EmbeddedPart
from models.evaluation.few_shot.protocol import Unit
from models.ranking import ranks_of

_STRENGTHS = (0.0, 0.5, 1.0)
_PHOTOS_TRUSTED = (1.0, 3.0, 9.0)
_SHARE = 0.5  # measured: between 0.4 and 0.7 of a category's mean photo is in its mean sketch
_KS = (1, 5, 10)
_DRAWS = 4


@dataclass(frozen=True)
class StyleChoice:
    """`mrr`: mean of 1 / rank within the queried photo's category by (strength, photos trusted), over k = 1, 5, 10."""

    usual: Vectors
    mrr: Mapping[tuple[float, float], float]

    @property
    def best(self) -> tuple[float, float]:
        """The setting with the highest mean; of equals the weakest."""
        return max(self.mrr, key=lambda setting: (round(self.mrr[setting], 4), -setting[0], setting[1]))

    def into(self, adaptation: Adaptation) -> Adaptation:
        """The adaptation with it."""
        strength, trusted = self.best
        settings = adaptation.settings.model_copy(
            update={"style_strength": strength, "style_photos": trusted, "style_share": _SHARE}
        )
        return replace(adaptation, settings=settings, arrays={**adaptation.arrays, "usual": self.usual})


def choose_style(part: EmbeddedPart) -> StyleChoice:
    """Try every setting on episodes of the part's people. Raises NoTasks, NothingToEvaluate."""
    material = part.material(Unit.PERSON)
    row_of = {key: row for row, key in enumerate(part.keys)}
    usual = _usual(part, row_of)
    reciprocal: dict[tuple[float, float], list[float]] = {(s, t): [] for s in _STRENGTHS for t in _PHOTOS_TRUSTED}
    for task in material.tasks:
        photos = part.photos[task.gallery]
        around = surroundings(photos, photos)
        for k in _KS:
            for draw in range(_DRAWS):
                one = episode(task, k, draw)
                shown, queries = one.support_targets, part.sketches[one.holdout]
                other_kinds = task.categories[one.holdout_targets][:, None] != task.categories[None, :]
                for strength, trusted in reciprocal:
                    rule = StyleRule(usual, strength, trusted, _SHARE)
                    adapter = rule.adapter(part.sketches[one.support], around[shown], shown)
                    scores = np.where(other_kinds, -np.inf, adapter.embed_sketches(queries) @ photos.T)
                    ranks = ranks_of(scores, one.holdout_targets)
                    reciprocal[strength, trusted].append(float((1 / ranks).mean()))
    return StyleChoice(usual, {setting: float(np.mean(values)) for setting, values in reciprocal.items()})


def _usual(part: EmbeddedPart, row_of: Mapping[PhotoKey, int]) -> Vectors:
    """(E,): what sketches are beside what their photos make expect, on average over photos."""
    own = np.array([row_of[key] for key in part.drawn])
    residual = part.sketches - _SHARE * surroundings(part.photos, part.photos)[own]
    # First the mean of each photo's sketches, so that a photo that many drew does not weigh more.
    usual: Vectors = np.mean([residual[own == row].mean(axis=0) for row in np.unique(own)], axis=0, dtype=np.float32)
    return usual
