"""The numbers by which a sketch weighs kind against layout, given how much it is like a kind that the encoder knows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class KindWeighing:
    """How a search over everything scores a photo: (layout + w (kind - d * known)) / (1 + w), of three cosines.

    *Familiarity* is the largest cosine of a sketch's kind with the mean of a known kind's drawings: at `unsure` and
    below the sketch counts as of a kind that was never trained, at `sure` and above as of a trained one. Between the
    two, w goes from `least` to `most` by equal factors, and d from `discount` to 0 by equal steps. *known* is the
    largest cosine of the photo's kind with the mean of a known kind's photos: a drawing that is like nothing known is
    less likely to show something known (calibrated stacking: Chao et al., An Empirical Study and Analysis of
    Generalized Zero-Shot Learning for Object Recognition in the Wild, ECCV 2016; with a gradual gate here).
    """

    unsure: float = 0.5
    sure: float = 0.8
    least: float = 0.7
    most: float = 2.8
    discount: float = 0.8

    def __post_init__(self) -> None:
        """Raises ValueError for numbers out of order."""
        if not -1 <= self.unsure < self.sure <= 1:
            raise ValueError(f"unsure {self.unsure:g} has to lie below sure {self.sure:g}, both of them cosines")
        if not 0 < self.least <= self.most or self.discount < 0:
            raise ValueError("weights are above 0, the least first; a discount is not negative")
