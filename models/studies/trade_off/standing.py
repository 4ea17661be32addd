"""Where a bundle stands between accuracy and cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Standing:
    """A bundle's place. `sketch_ms`: CPU time of one sketch in one thread; `ratio`: over the first bundle's.

    `megabytes`: both encoders. `accuracy`: acc@1 by split, within the sketch's category as it is served.
    """

    name: str
    sketch_ms: float
    ratio: float
    megabytes: float
    accuracy: dict[str, float]

    @property
    def mean(self) -> float:
        """Of the splits' acc@1."""
        return sum(self.accuracy.values()) / len(self.accuracy)

    @property
    def cells(self) -> list[str]:
        """As a table's row, acc@1 in percent; see `headings`."""
        figures = [f"{100 * value:.1f}" for value in (*self.accuracy.values(), self.mean)]
        return [self.name, f"{self.sketch_ms:.1f}", f"{self.ratio:.2f}", f"{self.megabytes:.1f}", *figures]


def headings(rows: Sequence[Standing]) -> list[str]:
    """Of `Standing.cells`."""
    return ["bundle", "ms a sketch", "cost", "MB", *rows[0].accuracy, "mean acc@1"]


def markdown(rows: Sequence[Standing]) -> str:
    """One line a bundle."""
    head = headings(rows)
    lines = [head, ["---"] * len(head), *(row.cells for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
