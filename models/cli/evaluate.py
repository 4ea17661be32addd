"""`inkseek evaluate`: the accuracy of a bundle on a data set, or what its adaptation makes of a few examples."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from models.atomic_files import write_text
from models.bundle import Bundle, Runtime, bundle_path
from models.cli.options import BundleOption
from models.cli.progress import encoding_progress
from models.console import fail, print_json, stdout
from models.data.datasets import FORMATS, PairDataset, mirrored, open_dataset
from models.data.sampling.episodes import DRAWS
from models.errors import InkseekError
from models.evaluation.dataset_evaluation import Evaluation, chosen_splits, evaluate_split, require_choices
from models.evaluation.encoders import EncoderPair, HogPair
from models.evaluation.errors import ExamplesUnclear
from models.evaluation.few_shot.measure import adaptation_document, embedded_split, measure_adaptation
from models.evaluation.few_shot.page import Page, adaptation_page
from models.evaluation.few_shot.protocol import Unit
from models.evaluation.few_shot.results import Result
from models.evaluation.few_shot.tables import print_results
from models.evaluation.paired import Paired, paired
from models.evaluation.rankings import Protocol
from models.evaluation.report import Report, read_pictures, report_page
from models.evaluation.report.document import document
from models.evaluation.report.tables import print_evaluation, print_paired

MOST_EXAMPLES = 100


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
        Path | None, typer.Option(parser=bundle_path, metavar="BUNDLE", help="Compare with it, query by query.")
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
    mirror_queries: Annotated[
        bool, typer.Option("--mirror-queries", help="Exchange left and right of every sketch before it is encoded.")
    ] = False,
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Search each sketch both ways round, as a search with mirror=true.")
    ] = False,
    adapt: Annotated[
        str | None,
        typer.Option(metavar="K,K", help="Measure what the bundle makes of so many examples, such as 1,5,10."),
    ] = None,
    by: Annotated[Unit, typer.Option(help="With --adapt: examples of one category, or by one person.")] = Unit.CATEGORY,
    draws: Annotated[int, typer.Option(min=1, help="With --adapt: draws of examples per category or person.")] = DRAWS,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap, the draws, and the report's sample.")] = 0,
    report: Annotated[Path | None, typer.Option(help="Write an HTML page to look at: figures and results.")] = None,
    pictures: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Add this folder's pictures to the report: attention maps.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="List every category.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
) -> None:
    """Measure how often a sketch finds its photo, with intervals.

    Every sketch is a query; the gallery also holds photos without a sketch.
    Figures come from the bundle's ONNX files, scored as the service
    scores.
    """
    _check_options(report, pictures, bundle, baseline)
    if adapt is not None:
        if pictures is not None or baseline is not None or against is not None or mirror_queries or mirror:
            excluded = "--pictures, --baseline, --against, --mirror and --mirror-queries"
            raise typer.BadParameter(f"it excludes {excluded}", param_hint="--adapt")
        try:
            _adapt(data, format, split or (), bundle, adapt, by, draws, seed, report, as_json)
        except (InkseekError, OSError) as error:
            fail(error, as_json=as_json)
        return
    try:
        # First what is cheap and may fail: encoding is what takes long.
        shown = read_pictures(pictures) if pictures is not None else ()
        dataset = _queried(open_dataset(data, format), mirror_queries)
        parts = chosen_splits(dataset, split or ())
        require_choices(parts, protocol)
        _make_room(report)
        encoders = HogPair() if baseline is not None else _opened(bundle)
        competitor = _opened(against) if against is not None else None
        evaluations = _evaluated(encoders, parts, protocol, mirror, seed)
        compared = _compared(evaluations, competitor, parts, seed) if competitor is not None else None
        if report is not None:
            page = report_page(Report(encoders, dataset, evaluations, datetime.now(UTC), seed, shown, compared))
            _write(report, page)
    except (InkseekError, OSError) as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json(document(encoders.bundle_id, dataset, evaluations, seed, compared))
        return
    console = stdout()
    for number, evaluation in enumerate(evaluations):
        print_evaluation(console, encoders.bundle_id, dataset, evaluation, every)
        if compared is not None:
            print_paired(console, compared[0], compared[1][number])
    if report is not None:
        console.print(f"report: {report}", markup=False, highlight=False, soft_wrap=True)


def parsed_ks(text: str) -> tuple[int, ...]:
    """`1,5,10` -> (1, 5, 10), ascending, each once. Raises ExamplesUnclear."""
    try:
        ks = tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError as error:
        raise ExamplesUnclear(f"{text!r} is not a list of numbers such as 1,5,10") from error
    if not 1 <= ks[0] <= ks[-1] <= MOST_EXAMPLES:
        raise ExamplesUnclear(f"{text!r} has a number below 1 or above {MOST_EXAMPLES}")
    return ks


def _check_options(report: Path | None, pictures: Path | None, bundle: Path | None, baseline: Baseline | None) -> None:
    if report is not None and report.suffix.lower() not in (".html", ".htm"):
        raise typer.BadParameter(f"{report.name} should end in .html", param_hint="--report")
    if pictures is not None and report is None:
        raise typer.BadParameter("pictures go into a report: say where with --report", param_hint="--pictures")
    if baseline is not None and bundle is not None:
        raise typer.BadParameter("it takes the bundle's place: give one of them", param_hint="--baseline")


def _opened(path: Path | None) -> Bundle:
    return Bundle.load(path, Runtime(threads=1))  # batches are encoded by threads of their own: see `embeddings`


def _queried(dataset: PairDataset, mirror_queries: bool) -> PairDataset:
    return mirrored(dataset) if mirror_queries else dataset


def _adapt(
    data: Path,
    format_: str,
    splits: Sequence[str],
    bundle: Path | None,
    ks: str,
    unit: Unit,
    draws: int,
    seed: int,
    report: Path | None,
    as_json: bool,
) -> None:
    requested = parsed_ks(ks)
    dataset = open_dataset(data, format_)
    parts = chosen_splits(dataset, splits)
    loaded = _opened(bundle)
    results = _adapted(loaded, parts, requested, unit, draws, seed)
    if report is not None:
        adaptation = loaded.adaptation.adaptation_id if loaded.adaptation else "none"
        facts = (
            ("Bundle", loaded.bundle_id),
            ("Adaptation", adaptation),
            ("Data", f"{dataset.name} ({dataset.format})"),
        )
        shown = (results[0].methods[-1], results[0].ks[-1])
        _write(report, adaptation_page(Page(facts, results, datetime.now(UTC), shown)))
    if as_json:
        print_json(adaptation_document(loaded, dataset, results))
    else:
        print_results(stdout(), loaded, results)


def _adapted(
    bundle: Bundle, parts: Sequence[tuple[str, PairDataset]], ks: Sequence[int], unit: Unit, draws: int, seed: int
) -> list[Result]:
    results = []
    with encoding_progress() as progress:
        for name, part in parts:
            encoding = progress.add_task(f"encoding {name}".strip(), total=len(part.photos) + len(part.records))
            embedded = embedded_split(bundle, name, part, partial(progress.advance, encoding))
            tasks = len(embedded.material(unit).tasks)
            drawing = progress.add_task(f"episodes of {name}".strip(), total=tasks * draws)
            done = partial(progress.advance, drawing, 1)
            results.append(measure_adaptation(bundle, embedded, ks, unit=unit, draws=draws, seed=seed, progress=done))
    return results


def _evaluated(
    encoders: EncoderPair, parts: Sequence[tuple[str, PairDataset]], protocol: Protocol, mirror: bool, seed: int
) -> list[Evaluation]:
    calibration = encoders.calibration if isinstance(encoders, Bundle) else None
    evaluations = []
    with encoding_progress() as progress:
        for name, part in parts:
            task = progress.add_task(
                f"encoding {name}".strip(), total=len(part.photos) + (1 + mirror) * len(part.records)
            )
            done = partial(progress.advance, task)
            evaluations.append(
                evaluate_split(
                    encoders,
                    part,
                    name,
                    protocol=protocol,
                    mirror=mirror,
                    seed=seed,
                    calibration=calibration,
                    progress=done,
                )
            )
    return evaluations


def _compared(
    evaluations: Sequence[Evaluation], competitor: EncoderPair, parts: Sequence[tuple[str, PairDataset]], seed: int
) -> tuple[str, list[Paired]]:
    """The competitor's name, and each evaluation minus the competitor's, both scored as the service scores."""
    others = _evaluated(competitor, parts, evaluations[0].protocol, evaluations[0].mirror, seed)
    return competitor.bundle_id, [
        paired(this.served.rankings.ranks, other.served.rankings.ranks, this.photo_numbers, seed)
        for this, other in zip(evaluations, others, strict=True)
    ]


def _make_room(report: Path | None) -> None:
    if report is not None:
        report.parent.mkdir(parents=True, exist_ok=True)


def _write(path: Path, page: str) -> None:
    _make_room(path)
    write_text(path, page)
