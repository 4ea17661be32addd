"""`inkseek evaluate`. Exit codes: 0 measured, 1 refused or failed, 2 wrong usage."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from models.bundle import Bundle, InkseekError, Runtime
from models.data.formats import FORMATS, PairDataset, open_dataset
from models.evaluation.dataset_evaluation import FIGURES, Evaluation, Measured, chosen_splits, evaluate_split
from models.evaluation.intervals import LEVEL, RESAMPLES
from models.evaluation.rankings import Protocol
from models.evaluation.report import Report, read_pictures, report_page

# More categories than this are no table to read: then the five best and the five worst, and --all every one.
_READABLE_CATEGORIES = 12
_ENDS = 5


def evaluate(
    data: Annotated[Path, typer.Option(metavar="DIR", help="The data set, as its download unpacks.")],
    bundle: Annotated[Path | None, typer.Option(help="A bundle's directory; the shipped one when not given.")] = None,
    split: Annotated[
        list[str] | None,
        typer.Option(help="The split to measure on; repeat it for several, each with its own gallery."),
    ] = None,
    protocol: Annotated[
        Protocol, typer.Option(help="Search all photos of the split, or those of the sketch's own category.")
    ] = Protocol.GALLERY,
    format: Annotated[
        str, typer.Option(help=f"auto, or one of {', '.join(known.name for known in FORMATS)}.")
    ] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap, and of the report's sample.")] = 0,
    report: Annotated[Path | None, typer.Option(help="Write an HTML page to look at: figures and answers.")] = None,
    pictures: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Add this folder's pictures to the report: attention maps.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="List every category.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
) -> None:
    """Measure how often a drawing finds its photo, with intervals.

    Every sketch is a query; the gallery holds photos that nobody drew, too.
    Figures come from the bundle's ONNX files, the ones that serve.
    """
    if report is not None and report.suffix.lower() not in (".html", ".htm"):
        raise typer.BadParameter(f"{report.name} should end in .html", param_hint="--report")
    if pictures is not None and report is None:
        raise typer.BadParameter("pictures go into a report: say where with --report", param_hint="--pictures")
    try:
        shown = read_pictures(pictures) if pictures is not None else ()
        dataset = open_dataset(data, format)
        parts = chosen_splits(dataset, split or ())
        loaded = Bundle.load(bundle, Runtime(threads=1))  # threads encode side by side: see dataset_embeddings
        evaluations = _evaluated(loaded, parts, protocol, seed)
        if report is not None:
            made = Report(loaded, dataset, evaluations, datetime.now(UTC), seed, shown)
            report.parent.mkdir(parents=True, exist_ok=True)
            report.write_text(report_page(made), encoding="utf-8")
    except (InkseekError, OSError) as error:
        _fail(error, as_json)
    if as_json:
        typer.echo(json.dumps(_document(loaded, dataset, evaluations, seed), ensure_ascii=False, indent=2))
        return
    console = Console()
    for evaluation in evaluations:
        _print(console, loaded, dataset, evaluation, every)
    if report is not None:
        console.print(f"report: {escape(str(report))}", highlight=False, soft_wrap=True)


def _evaluated(
    bundle: Bundle, parts: Sequence[tuple[str, PairDataset]], protocol: Protocol, seed: int
) -> list[Evaluation]:
    console = Console(file=sys.stderr, stderr=True)
    columns = (*Progress.get_default_columns()[:-1], MofNCompleteColumn(), TimeRemainingColumn())
    evaluations = []
    with Progress(*columns, console=console, transient=True) as progress:
        for name, part in parts:
            task = progress.add_task(f"encoding {name}".strip(), total=len(part.photos) + len(part.records))
            done = partial(progress.advance, task)
            evaluations.append(evaluate_split(bundle, part, name, protocol=protocol, seed=seed, progress=done))
    return evaluations


def _document(bundle: Bundle, dataset: PairDataset, evaluations: Sequence[Evaluation], seed: int) -> dict[str, Any]:
    return {
        "bundle_id": bundle.bundle_id,
        "data": dataset.name,
        "format": dataset.format,
        "protocol": evaluations[0].protocol.value,
        "intervals": {"level": LEVEL, "resamples": RESAMPLES, "of": "photos", "seed": seed},
        "splits": {
            evaluation.split or "all": {
                **_measured(evaluation.overall),
                "chance_at_1": round(evaluation.chance_at_1, 4),
                "categories": {name: _measured(measured) for name, measured in evaluation.categories.items()},
                "not_encoded": {"sketches": _refused_sketches(evaluation), "photos": _refused_photos(evaluation)},
            }
            for evaluation in evaluations
        },
        "findings": len(dataset.findings),
    }


def _measured(measured: Measured) -> dict[str, Any]:
    intervals = {
        name: {end: round(value, 4) for end, value in asdict(interval).items()}
        for name, interval in (measured.intervals or {}).items()
    }
    return {**measured.figures.as_dict(), "intervals": intervals or None}


def _refused_sketches(evaluation: Evaluation) -> list[dict[str, str]]:
    return [
        {"name": evaluation.records[row].sketch.name, "reason": reason}
        for row, reason in sorted(evaluation.refused_sketches.items())
    ]


def _refused_photos(evaluation: Evaluation) -> list[dict[str, str]]:
    keys = {row: evaluation.photos[row].key for row in evaluation.refused_photos}
    return [
        {"name": f"{keys[row].category}/{keys[row].photo_id}", "reason": reason}
        for row, reason in sorted(evaluation.refused_photos.items())
    ]


def _print(console: Console, bundle: Bundle, dataset: PairDataset, evaluation: Evaluation, every: bool) -> None:
    title = " ".join(filter(None, (dataset.name, evaluation.split, f"({evaluation.protocol})")))
    rows = list(evaluation.categories.items())
    caption = f"per cent; by chance, acc@1 is {100 * evaluation.chance_at_1:.1f}"
    if not every and len(rows) > _READABLE_CATEGORIES:
        rows.sort(key=lambda row: (-row[1].figures.acc_at_1, -row[1].figures.mean_average_precision, row[0]))
        caption += f"\nthe best and the worst of {len(rows):,} categories; --all lists them"
        rows = rows[:_ENDS] + rows[-_ENDS:]
    table = Table(title=f"{escape(title)}\n{bundle.bundle_id}", caption=caption)
    table.add_column("category")
    for heading in ("sketches", "photos", "acc@1", "acc@5", "acc@10", "mAP", "mean rank"):
        table.add_column(heading, justify="right")
    if len(rows) > 1:
        for number, (name, measured) in enumerate(rows, 1):
            between_ends = number == _ENDS and len(rows) < len(evaluation.categories)
            table.add_row(escape(name), *_cells(measured), end_section=between_ends or number == len(rows))
    table.add_row("all" if len(rows) > 1 else escape(rows[0][0]), *_cells(evaluation.overall), style="bold")
    for end in ("low", "high") if evaluation.overall.intervals else ():
        table.add_row(f"  95 % {end}", *_bounds(evaluation.overall, end), style="dim")
    console.print(table)
    refused = [*_refused_sketches(evaluation), *_refused_photos(evaluation)]
    if refused:
        console.print(f"[yellow]not encoded, so counted as missed[/yellow] ({len(refused):,})")
        for image in refused[:_ENDS]:
            console.print(f"  {escape(image['name'])}: {escape(image['reason'])}", highlight=False, soft_wrap=True)


def _cells(measured: Measured) -> list[str]:
    figures = measured.figures
    return [f"{figures.queries:,}", f"{figures.photos:,}", *(_shown(name, getattr(figures, name)) for name in FIGURES)]


def _bounds(measured: Measured, end: str) -> list[str]:
    return ["", "", *(_shown(name, getattr(interval, end)) for name, interval in (measured.intervals or {}).items())]


def _shown(name: str, value: float) -> str:
    return f"{value:.2f}" if name == "mean_rank" else f"{100 * value:.1f}"


def _fail(error: Exception, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"error": type(error).__name__, "detail": str(error)}, ensure_ascii=False))
    else:
        console = Console(file=sys.stderr, stderr=True)
        console.print(f"[red]{type(error).__name__}:[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
    raise typer.Exit(1)
