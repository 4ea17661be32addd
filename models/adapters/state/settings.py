"""The scalars of an adaptation, and the methods that they belong to."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.adapters.gate import GainPrior
from models.adapters.prior import CentrePrior

Method = Literal["adaptive", "bayes", "centred"]
"""`adaptive`: an inner step on M (Adaptive FG-SBIR, ECCV 2022), within the category's frame. `bayes`: the frame and the
sketches' centre alone, in closed form. `centred`: no examples count."""

_LATER = ("gain", "style_gain")  # settings that adaptations of the first release had not


class AdaptationSettings(BaseModel):
    """The scalars among the meta-learned parameters.

    `shrinkage`, `power`: of the category's frame, see `GalleryFrame.of`. `centre`: of its sketches. `rate`, `softness`:
    of the inner step, see `inner_step`; `negatives`: how many photos other than the support's take part in it, the
    nearest first. `style_strength`, `style_photos`, `style_share`: see `StyleRule`. `gain`, `style_gain`: what fits are
    expected to gain, by which the gate decides.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    shrinkage: float = Field(default=1.0, gt=0)
    power: float = Field(default=0.0, ge=0)
    centre: CentrePrior = CentrePrior()
    rate: float = Field(default=0.0, ge=0)
    softness: float = Field(default=0.05, ge=0)
    negatives: int = Field(default=24, ge=0)
    style_strength: float = Field(default=0.5, ge=0)
    style_photos: float = Field(default=4.0, ge=0)
    style_share: float = Field(default=0.5, ge=0)
    gain: GainPrior = GainPrior()
    style_gain: GainPrior = GainPrior()

    def identifying(self) -> dict[str, Any]:
        """What decides an adaptation's id: later settings only where they are set, so that earlier ids stay."""
        settings, unset = self.model_dump(), AdaptationSettings().model_dump()
        return {name: value for name, value in settings.items() if name not in _LATER or value != unset[name]}
