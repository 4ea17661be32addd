"""Axes of charts: which values they enclose, where their ticks are, and where on the picture a value lies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

_MOST_TICKS = 6


@dataclass(frozen=True)
class Axis:
    """What an axis says.

    `ticks`: value and label of each; without them round numbers around the values, powers of two where `log`.
    `include`: values that the axis encloses whatever is drawn, such as 0. `margin`: share of its length that is left
    free at each end. `signed`: round ticks have their sign.
    """

    title: str = ""
    ticks: Sequence[tuple[float, str]] = ()
    include: Sequence[float] = ()
    log: bool = False
    margin: float = 0.0
    signed: bool = False

    def scale(self, values: Sequence[float]) -> Scale:
        """The axis for these values and `include`. A logarithmic one takes positive values alone."""
        low, high = min((*values, *self.include)), max((*values, *self.include))
        ticks = list(self.ticks)
        if not ticks:
            numbers = power_ticks(low, high) if self.log else round_ticks(low, high)
            ticks = [(number, f"{number:+g}" if self.signed and number else f"{number:g}") for number in numbers]
        ends = [low, high, *(number for number, _ in ticks)]
        return Scale(min(ends), max(ends), tuple(ticks), self.log, self.margin)


@dataclass(frozen=True)
class Scale:
    """An axis between two values. `share` gives where a value lies on it, from 0 to 1."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...] = field(default=())
    log: bool = False
    margin: float = 0.0

    def share(self, value: float) -> float:
        """0 at the axis's beginning, 1 at its end. A scale of one value alone has it in the middle."""
        low, high, at = ((math.log(each) if self.log else each) for each in (self.low, self.high, value))
        inner = (at - low) / (high - low) if high > low else 0.5
        return self.margin + (1 - 2 * self.margin) * inner


def round_ticks(low: float, high: float) -> list[float]:
    """At most seven round numbers, the first not above `low`, the last not below `high`."""
    # The logarithm below needs a spread.
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    step = 10.0 ** math.floor(math.log10(high - low))
    for factor in (0.2, 0.5, 1.0, 2.0, 5.0, 10.0):
        first, last = math.floor(low / (step * factor)), math.ceil(high / (step * factor))
        if last - first < _MOST_TICKS:
            # Rounded, since 3 * 0.1 would be written as 0.30000000000000004.
            return [round(number * step * factor, 12) for number in range(first, max(last, first + 1) + 1)]
    raise AssertionError("a step of ten times the spread leaves two ticks")


def power_ticks(low: float, high: float) -> list[float]:
    """Powers of two, the first not above `low`, the last not below `high`; both are positive."""
    first, last = math.floor(math.log2(low)), math.ceil(math.log2(high))
    return [2.0**power for power in range(first, max(last, first + 1) + 1)]
