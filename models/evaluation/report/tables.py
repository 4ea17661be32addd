"""An evaluation as tables in a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.data.datasets import PairDataset
from models.evaluation.dataset_evaluation import FIGURES, Evaluation, Measured, Scored
from models.evaluation.intervals import Interval
from models.evaluation.paired import Paired
from models.evaluation.report.document import unusable_images

# More categories than this are no table to read: then the five best and the five worst, and --all every one.
_READABLE_CATEGORIES = 12
_ENDS = 5
_HEADINGS = dict(zip(FIGURES, ("acc@1", "acc@5", "acc@10", "mAP", "mean rank"), strict=True))


def print_evaluation(
    console: Console, bundle_id: str, dataset: PairDataset, evaluation: Evaluation, every: bool
) -> None:
    """Scored as the service scores; where that is not by plain cosines, their acc@1 has a column of its own."""
    served, plain = evaluation.served, evaluation.plain
    title = " ".join(filter(None, (dataset.name, evaluation.split, f"({evaluation.protocol})")))
    caption = f"per cent; at chance level, acc@1 is {100 * evaluation.chance_at_1:.1f}"
    beside = plain.categories if plain is not None else {}
    overall_beside = plain.overall if plain is not None else None
    if plain is not None:
        caption += "\nas served: the category mean is subtracted; plain: by cosine alone"
    if evaluation.mirror:
        caption += "\nsearched both ways round: a photo counts by the better of its two scores"
    if (first := evaluation.category_first) is not None:
        bounds = first.interval
        between = f" ({100 * bounds.low:.1f} to {100 * bounds.high:.1f})" if bounds is not None else ""
        caption += f"\nfirst photo of the sketch's category: {100 * first.value:.1f}{between}"
    names = _readable(served, every)
    if len(names) < len(served.categories):
        caption += f"\nthe best and the worst of {len(served.categories):,} categories; --all lists them"
    table = Table(title=f"{escape(title)}\n{bundle_id}", caption=caption, collapse_padding=True)
    table.add_column("category", min_width=len("95 % high"))
    extra = ["plain @1"] if plain is not None else []
    for heading in ("sketches", "photos", *_HEADINGS.values(), *extra):
        table.add_column(heading, justify="right", min_width=min(5, len(heading)))
    if len(names) > 1:
        for number, name in enumerate(names, 1):
            between_ends = number == _ENDS and len(names) < len(served.categories)
            cells = _cells(served.categories[name], beside.get(name))
            table.add_row(escape(name), *cells, end_section=between_ends or number == len(names))
    label = "all" if len(names) > 1 else escape(names[0])
    table.add_row(label, *_cells(served.overall, overall_beside), style="bold")
    for end in ("low", "high") if served.overall.intervals else ():
        table.add_row(f"95 % {end}", *_bounds(served.overall, overall_beside, end), style="dim")
    console.print(table)
    _print_unusable(console, evaluation)


def print_paired(console: Console, other: str, pair: Paired) -> None:
    """This minus the competitor on the same queries, and how many each ranks first."""
    table = Table(title=f"minus {escape(other)}", caption="percentage points, query by query")
    table.add_column("")
    for heading in _HEADINGS.values():
        table.add_column(heading, justify="right")
    differences = pair.differences
    table.add_row("difference", *(_signed(name, differences[name].value) for name in FIGURES), style="bold")
    for end in ("low", "high"):
        bounds = [(name, differences[name].interval) for name in FIGURES]
        table.add_row(f"  95 % {end}", *(_signed(n, getattr(i, end)) if i else "" for n, i in bounds), style="dim")
    console.print(table)
    console.print(
        f"ranked first by both {pair.both:,}, by this alone {pair.only_this:,}, by the other alone "
        f"{pair.only_other:,}, by neither {pair.neither:,}",
        highlight=False,
    )


def _readable(served: Scored, every: bool) -> list[str]:
    names = list(served.categories)
    if every or len(names) <= _READABLE_CATEGORIES:
        return names
    figures = {name: measured.figures for name, measured in served.categories.items()}
    names.sort(key=lambda name: (-figures[name].acc_at_1, -figures[name].mean_average_precision, name))
    return names[:_ENDS] + names[-_ENDS:]


def _print_unusable(console: Console, evaluation: Evaluation) -> None:
    unusable = [image for images in unusable_images(evaluation) for image in images]
    if unusable:
        console.print(f"[yellow]without an embedding, so counted as missed[/yellow] ({len(unusable):,})")
        for image in unusable[:_ENDS]:
            console.print(f"  {escape(image['name'])}: {escape(image['reason'])}", highlight=False, soft_wrap=True)


def _cells(measured: Measured, plain: Measured | None) -> list[str]:
    figures = measured.figures
    values = [_shown(name, getattr(figures, name)) for name in FIGURES]
    beside = [_shown("acc_at_1", plain.figures.acc_at_1)] if plain is not None else []
    return [f"{figures.queries:,}", f"{figures.photos:,}", *values, *beside]


def _bounds(measured: Measured, plain: Measured | None, end: str) -> list[str]:
    def bounds(intervals: dict[str, Interval]) -> list[str]:
        return [_shown(name, getattr(interval, end)) for name, interval in intervals.items()]

    beside = {"acc_at_1": plain.intervals["acc_at_1"]} if plain is not None and plain.intervals else {}
    return ["", "", *bounds(dict(measured.intervals or {})), *bounds(beside)]


def _shown(name: str, value: float) -> str:
    return f"{value:.2f}" if name == "mean_rank" else f"{100 * value:.1f}"


def _signed(name: str, value: float) -> str:
    return f"{value:+.2f}" if name == "mean_rank" else f"{100 * value:+.1f}"
