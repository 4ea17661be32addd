"""The results of trials as tables in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.bundle import Bundle
from models.evaluation.few_shot.bundle_methods import GATED
from models.evaluation.few_shot.protocol import TASK, WHOLE
from models.evaluation.few_shot.results import Result, gain, percent


def print_results(console: Console, bundle: Bundle, results: Sequence[Result]) -> None:
    """One table per split, in per cent; the row of what serves is bold."""
    for result in results:
        console.print(_table(bundle, result))
    if bundle.adaptation is None:
        console.print("this bundle has no adaptation: a category search subtracts the category mean and no more")


def _table(bundle: Bundle, result: Result) -> Table:
    caption = f"{result.lead}\nper cent; gain: acc@1 above {result.baseline}, in points"
    table = Table(title=f"{escape(result.trial.material)}\n{bundle.bundle_id}", caption=caption)
    table.add_column("method")
    for heading in ("k", "acc@1", "acc@5", "gain @1", *(["whole @1"] if result.is_whole_apart else [])):
        table.add_column(heading, justify="right")
    for name in result.methods:
        for k in result.ks:
            figures = result.figures[name, k]
            cells = [percent(figures.shares[TASK, 1]), percent(figures.shares[TASK, 5])]
            cells.append("" if name == result.baseline else gain(figures.gains[TASK, 1]))
            if result.is_whole_apart:
                cells.append(percent(figures.shares[WHOLE, 1]))
            table.add_row(name, f"{k}", *cells, style="bold" if name == GATED else "")
    return table
