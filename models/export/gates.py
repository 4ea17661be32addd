"""What a bundle has to reach before it is written.

GateNotPassed (InkseekError)
├── ParityBroken         export.parity: the exported encoder does not answer as the trained one
├── AccuracyTooLow       the bundle's acc@1 on validation splits is too low
└── LossTooHigh          export.precision.pooled_queries: the variant may lose too much acc@1 relative to its parent
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from models.errors import InkseekError
from models.evaluation.protocol import BothFigures, CategoryGallery


class GateNotPassed(InkseekError):
    """A bundle is not written, because `measured` misses `required`."""

    def __init__(self, message: str, *, measured: float, required: float) -> None:
        """`measured` and `required` in the unit that the message names."""
        super().__init__(message)
        self.measured = measured
        self.required = required


class AccuracyTooLow(GateNotPassed):
    """The encoders rank too few photos first."""


def chance_level(galleries: Sequence[CategoryGallery]) -> float:
    """The expected acc@1 of a random ranking of every query in its gallery: the mean of 1 / photos over queries."""
    queries = sum(len(gallery.queries) for gallery in galleries)
    return sum(len(gallery.queries) / len(gallery.photos) for gallery in galleries) / queries


def require_accuracy(
    figures: Mapping[str, BothFigures], galleries: Mapping[str, Sequence[CategoryGallery]], minimum: float | None
) -> None:
    """Compare acc@1 within the category, by split, with `minimum` in [0, 1], or where it is None with chance level.

    A bundle at chance level was exported from weights that learned nothing, or with another preprocessing than theirs.
    Raises AccuracyTooLow for the first split that is not above chance level, or is below `minimum`.
    """
    for name, both in figures.items():
        measured = both.centred.acc_at_1
        if minimum is None:
            required = chance_level(galleries[name])
            passes = measured > required or required == 1  # galleries of one photo say nothing
        else:
            required, passes = minimum, measured >= minimum
        if not passes:
            raise AccuracyTooLow(
                f"acc@1 on {name} is {100 * measured:.1f} %; required: {'more than ' if minimum is None else ''}"
                f"{100 * required:.1f} %",
                measured=round(measured, 4),
                required=round(required, 4),
            )
