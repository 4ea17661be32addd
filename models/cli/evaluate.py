"""`inkseek evaluate`. Exit codes: 0 measured, 1 refused or failed, 2 wrong usage."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

from models.bundle import Bundle, Runtime, bundle_path
from models.cli.options import BundleOption
from models.data.datasets import FORMATS, PairDataset, open_dataset
from models.data.sampling.episodes import DRAWS
from models.errors import InkseekError
from models.evaluation.dataset_evaluation import Evaluation, chosen_splits, evaluate_split
from models.evaluation.document import document
from models.evaluation.encoders import EncoderPair, HogPair
from models.evaluation.few_shot.command import as_document, measured, parsed_ks, print_results, write_page
from models.evaluation.few_shot.protocol import Unit
from models.evaluation.paired import Paired, paired
from models.evaluation.ranking import Protocol
from models.evaluation.report import Report, read_pictures, report_page
from models.evaluation.tables import print_evaluation, print_paired


class Baseline(StrEnum):
    """What can be measured in a bundle's place."""

    HOG = "hog"


def evaluate(
    data: Annotated[Path, typer.Option(metavar="DIR", help="The data set, as its download unpacks.")],
    bundle: BundleOption = None,
    baseline: Annotated[
        Baseline | None, typer.Option(help="Measure this instead of a bundle: gradients' histograms, nothing learned.")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(parser=bundle_path, metavar="BUNDLE", help="Compare with it, query by query."),
    ] = None,
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
    adapt: Annotated[
        str | None,
        typer.Option(metavar="K,K", help="Measure what the bundle makes of so many examples, such as 1,5,10."),
    ] = None,
    by: Annotated[Unit, typer.Option(help="With --adapt: examples of one category, or by one person.")] = Unit.CATEGORY,
    draws: Annotated[int, typer.Option(min=1, help="With --adapt: draws of examples for each.")] = DRAWS,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap, the draws, and the report's sample.")] = 0,
    report: Annotated[Path | None, typer.Option(help="Write an HTML page to look at: figures and answers.")] = None,
    pictures: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Add this folder's pictures to the report: attention maps.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="List every category.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
) -> None:
    """Measure how often a drawing finds its photo, with intervals.

    Every sketch is a query; the gallery holds photos that nobody drew, too.
    Figures come from the bundle's ONNX files, the ones that serve, scored as
    the service scores.
    """
    if report is not None and report.suffix.lower() not in (".html", ".htm"):
        raise typer.BadParameter(f"{report.name} should end in .html", param_hint="--report")
    if pictures is not None and report is None:
        raise typer.BadParameter("pictures go into a report: say where with --report", param_hint="--pictures")
    if baseline is not None and bundle is not None:
        raise typer.BadParameter("it takes the bundle's place: give one of them", param_hint="--baseline")
    if adapt is not None:
        if pictures is not None or baseline is not None or against is not None:
            raise typer.BadParameter("with it go neither --pictures nor --baseline nor --against", param_hint="--adapt")
        _adapted(
            data, format, split or (), bundle, adapt, unit=by, draws=draws, seed=seed, report=report, json_=as_json
        )
        return
    try:
        shown = read_pictures(pictures) if pictures is not None else ()
        dataset = open_dataset(data, format)
        parts = chosen_splits(dataset, split or ())
        encoders = HogPair() if baseline is not None else _opened(bundle)
        rival = _opened(against) if against is not None else None
        evaluations = _evaluated(encoders, parts, protocol, seed)
        compared = _compared(evaluations, rival, parts, seed) if rival is not None else None
        if report is not None:
            made = Report(encoders, dataset, evaluations, datetime.now(UTC), seed, shown, compared)
            report.parent.mkdir(parents=True, exist_ok=True)
            report.write_text(report_page(made), encoding="utf-8")
    except (InkseekError, OSError) as error:
        _fail(error, as_json)
    if as_json:
        told = document(encoders.bundle_id, dataset, evaluations, seed, compared)
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    console = Console()
    for number, evaluation in enumerate(evaluations):
        print_evaluation(console, encoders.bundle_id, dataset, evaluation, every)
        if compared is not None:
            print_paired(console, compared[0], compared[1][number])
    if report is not None:
        console.print(f"report: {escape(str(report))}", highlight=False, soft_wrap=True)


def _opened(path: Path | None) -> EncoderPair:
    return Bundle.load(path, Runtime(threads=1))  # threads encode side by side: see dataset_embeddings


def _adapted(
    data: Path,
    format_: str,
    splits: Sequence[str],
    bundle: Path | None,
    ks: str,
    *,
    unit: Unit,
    draws: int,
    seed: int,
    report: Path | None,
    json_: bool,
) -> None:
    try:
        wanted = parsed_ks(ks)
        dataset = open_dataset(data, format_)
        parts = chosen_splits(dataset, splits)
        loaded = Bundle.load(bundle, Runtime(threads=1))
        results = measured(loaded, parts, wanted, unit=unit, draws=draws, seed=seed)
        if report is not None:
            write_page(report, loaded, dataset, results)
    except (InkseekError, OSError) as error:
        _fail(error, json_)
    if json_:
        typer.echo(json.dumps(as_document(loaded, dataset, results), ensure_ascii=False, indent=2))
        return
    print_results(Console(), loaded, results)


def _evaluated(
    encoders: EncoderPair, parts: Sequence[tuple[str, PairDataset]], protocol: Protocol, seed: int
) -> list[Evaluation]:
    console = Console(file=sys.stderr, stderr=True)
    columns = (*Progress.get_default_columns()[:-1], MofNCompleteColumn(), TimeRemainingColumn())
    evaluations = []
    with Progress(*columns, console=console, transient=True) as progress:
        for name, part in parts:
            task = progress.add_task(f"encoding {name}".strip(), total=len(part.photos) + len(part.records))
            done = partial(progress.advance, task)
            evaluations.append(evaluate_split(encoders, part, name, protocol=protocol, seed=seed, progress=done))
    return evaluations


def _compared(
    evaluations: Sequence[Evaluation], rival: EncoderPair, parts: Sequence[tuple[str, PairDataset]], seed: int
) -> tuple[str, list[Paired]]:
    """The rival's name, and each evaluation less the rival's, both as served."""
    others = _evaluated(rival, parts, evaluations[0].protocol, seed)
    return rival.bundle_id, [
        paired(this.served.rankings.ranks, other.served.rankings.ranks, this.drawn, seed)
        for this, other in zip(evaluations, others, strict=True)
    ]


def _fail(error: Exception, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"error": type(error).__name__, "detail": str(error)}, ensure_ascii=False))
    else:
        console = Console(file=sys.stderr, stderr=True)
        console.print(f"[red]{type(error).__name__}:[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
    raise typer.Exit(1)
