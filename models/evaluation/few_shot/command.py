"""`inkseek evaluate --adapt`: what a bundle's own adaptation makes of k examples."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from models.bundle import Bundle
from models.data.datasets import PairDataset
from models.evaluation.errors import ExamplesUnclear
from models.evaluation.few_shot.bundled import SERVED, bundle_methods
from models.evaluation.few_shot.material import embedded_part
from models.evaluation.few_shot.methods import NoAdaptation
from models.evaluation.few_shot.page import Page, adaptation_page
from models.evaluation.few_shot.protocol import TASK, WHOLE, Unit, run
from models.evaluation.few_shot.results import Result, document, gain, percent

MOST_EXAMPLES = 100


def parsed_ks(text: str) -> tuple[int, ...]:
    """`1,5,10` -> (1, 5, 10), ascending. Raises ExamplesUnclear."""
    try:
        ks = tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError as error:
        raise ExamplesUnclear(f"{text!r} is no list of numbers such as 1,5,10") from error
    if not 1 <= ks[0] <= ks[-1] <= MOST_EXAMPLES:
        raise ExamplesUnclear(f"{text!r} asks for fewer than 1 or more than {MOST_EXAMPLES} examples")
    return ks


def measured(
    bundle: Bundle,
    parts: Sequence[tuple[str, PairDataset]],
    ks: Sequence[int],
    *,
    unit: Unit,
    draws: int,
    seed: int,
) -> list[Result]:
    """One result a split. Raises NoTasks, NothingToEvaluate, EmbeddingsNotFinite."""
    methods = bundle_methods(bundle, unit)
    columns = (*Progress.get_default_columns()[:-1], MofNCompleteColumn(), TimeRemainingColumn())
    found = []
    with Progress(*columns, console=Console(file=sys.stderr, stderr=True), transient=True) as progress:
        for name, part in parts:
            encoding = progress.add_task(f"encoding {name}".strip(), total=len(part.photos) + len(part.records))
            embedded = embedded_part(bundle, part, f"{part.name} {name}".strip(), partial(progress.advance, encoding))
            material = embedded.material(unit)
            drawing = progress.add_task(f"episodes of {name}".strip(), total=len(material.tasks) * draws)
            trial = run(material, methods, ks, draws=draws, seed=seed, progress=partial(progress.advance, drawing, 1))
            names = tuple(method.name for method in methods)
            found.append(Result(trial, names, tuple(ks), NoAdaptation().name, draws, seed))
    return found


def as_document(bundle: Bundle, dataset: PairDataset, results: Sequence[Result]) -> dict[str, Any]:
    """For `--json`."""
    adaptation = bundle.adaptation.adaptation_id if bundle.adaptation else None
    return {
        "bundle_id": bundle.bundle_id,
        "adaptation_id": adaptation,
        "data": dataset.name,
        "format": dataset.format,
        "splits": document(results),
    }


def write_page(path: Path, bundle: Bundle, dataset: PairDataset, results: Sequence[Result]) -> None:
    """For `--report`."""
    adaptation = bundle.adaptation.adaptation_id if bundle.adaptation else "none"
    facts = (("Bundle", bundle.bundle_id), ("Adaptation", adaptation), ("Data", f"{dataset.name} ({dataset.format})"))
    page = Page(facts, results, datetime.now(UTC), shown=(results[0].methods[-1], results[0].ks[-1]))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(adaptation_page(page), encoding="utf-8")


def print_results(console: Console, bundle: Bundle, results: Sequence[Result]) -> None:
    """Tables in a terminal, in per cent."""
    for result in results:
        caption = f"{result.lead}\nper cent; gain: acc@1 above {result.baseline}, in points"
        table = Table(title=f"{escape(result.trial.material)}\n{bundle.bundle_id}", caption=caption)
        table.add_column("method")
        table.add_column("k", justify="right")
        headings = ["acc@1", "acc@5", "gain @1", *(["whole @1"] if result.is_whole_apart else [])]
        for heading in headings:
            table.add_column(heading, justify="right")
        for name in result.methods:
            for k in result.ks:
                figures = result.figures[name, k]
                cells = [percent(figures.shares[TASK, 1]), percent(figures.shares[TASK, 5])]
                cells.append("" if name == result.baseline else gain(figures.gains[TASK, 1]))
                if result.is_whole_apart:
                    cells.append(percent(figures.shares[WHOLE, 1]))
                table.add_row(name, f"{k}", *cells, style="bold" if name == SERVED else "")
        console.print(table)
    if bundle.adaptation is None:
        console.print("this bundle carries no adaptation: a category search takes its photos' mean away, no more")
