"""One bundle of a trade-off: its accuracy, its cost and its size, as a table's row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TradeOffEntry:
    """A bundle in the table.

    `sketch_ms`: CPU milliseconds of one sketch in one thread; `cost`: that relative to the first bundle's. `megabytes`:
    of both encoders. `accuracy`: acc@1 in [0, 1] by split, within the sketch's category as the service scores it.
    """

    name: str
    sketch_ms: float
    cost: float
    megabytes: float
    accuracy: dict[str, float]

    @property
    def mean_accuracy(self) -> float:
        """The mean of the splits' acc@1, each split counted once."""
        return sum(self.accuracy.values()) / len(self.accuracy)

    @property
    def cells(self) -> list[str]:
        """The row under `headings`, acc@1 in per cent."""
        figures = [f"{100 * value:.1f}" for value in (*self.accuracy.values(), self.mean_accuracy)]
        return [self.name, f"{self.sketch_ms:.1f}", f"{self.cost:.2f}", f"{self.megabytes:.1f}", *figures]


def headings(entries: Sequence[TradeOffEntry]) -> list[str]:
    """The headings of `TradeOffEntry.cells`; all entries have the same splits."""
    return ["bundle", "ms per sketch", "cost", "MB", *entries[0].accuracy, "mean acc@1"]


def markdown(entries: Sequence[TradeOffEntry]) -> str:
    """A Markdown table with one row per bundle."""
    head = headings(entries)
    lines = [head, ["---"] * len(head), *(entry.cells for entry in entries)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
