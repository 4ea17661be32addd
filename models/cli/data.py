"""`inkseek data inspect`. Exit codes: 0 read, 1 refused (with --strict also for flaws), 2 wrong usage."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from models.data.datasets import FORMATS, Count, Finding, PairDataset, ReadOptions, check_content, open_dataset
from models.data.images.pair_sheet import choose_records, pair_sheet
from models.errors import InkseekError

app = typer.Typer(no_args_is_help=True)

# More rows than this are no table to read: then each split gets one row, and --all every category.
_READABLE_ROWS = 40
_SHOWN_FINDINGS = 12
_PICTURES = (".png", ".jpg", ".jpeg", ".webp")


@app.callback()
def data() -> None:
    """Look at sketch-photo data sets."""  # a callback keeps `inspect` a word of its own


@app.command()
def inspect(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The data set, as its download unpacks.")],
    format: Annotated[
        str, typer.Option(help=f"auto, or one of {', '.join(known.name for known in FORMATS)}.")
    ] = "auto",
    split: Annotated[str | None, typer.Option(help="Only this split.")] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Write a picture of pairs: each sketch beside its photo, with ids.")
    ] = None,
    pairs: Annotated[int, typer.Option(min=1, max=400, help="Pairs on the sheet.")] = 24,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other pairs on the sheet.")] = 0,
    quick: Annotated[bool, typer.Option("--quick", help="Do not decode every image.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 when there are flaws.")] = False,
    rendering: Annotated[str, typer.Option(help="Sketchy: the rendering, e.g. tx_000100000000.")] = "",
    keep_marked: Annotated[
        bool, typer.Option("--keep-marked", help="Keep sketches that the set's own lists mark as bad.")
    ] = False,
    strokes: Annotated[bool, typer.Option("--strokes", help="FS-COCO: strokes, not images of the sketches.")] = False,
    every: Annotated[bool, typer.Option("--all", help="List every category and every finding.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
) -> None:
    """Count a data set by split and category, and say what is wrong with it.

    Every image is decoded once: what cannot be read, sketches that show
    nothing, copies and missing partners are listed. Nothing is left out
    without being listed.
    """
    if sheet is not None and sheet.suffix.lower() not in _PICTURES:
        raise typer.BadParameter(f"{sheet.name} should end in {', '.join(_PICTURES)}", param_hint="--sheet")
    try:
        options = ReadOptions(rendering=rendering, keep_marked=keep_marked, strokes=strokes)
        dataset = open_dataset(folder, format, options=options)
        if split is not None:
            dataset = dataset.split(split)
        if not quick:
            dataset = _checked(dataset)
        if sheet is not None:
            _write_sheet(dataset, sheet, pairs, seed)
    except (InkseekError, OSError) as error:
        _fail(error, as_json)
    if as_json:
        typer.echo(json.dumps(_document(dataset), ensure_ascii=False, indent=2))
    else:
        _print(dataset, every, quick)
        if sheet is not None:
            Console().print(f"sheet of pairs: {escape(str(sheet))}", highlight=False, soft_wrap=True)
    if strict and dataset.flaws:
        raise typer.Exit(1)


def _checked(dataset: PairDataset) -> PairDataset:
    total = len(dataset.photos) + len(dataset.records)
    with Progress(console=Console(file=sys.stderr, stderr=True), transient=True) as progress:
        task = progress.add_task("looking at every image", total=total)
        return check_content(dataset, lambda: progress.advance(task))


def _write_sheet(dataset: PairDataset, path: Path, pairs: int, seed: int) -> None:
    if not dataset.records:
        raise typer.BadParameter(f"{dataset.name} has no sketches to draw a sheet of", param_hint="--sheet")
    path.parent.mkdir(parents=True, exist_ok=True)
    pair_sheet(dataset, choose_records(dataset, pairs, seed)).save(path)


def _document(dataset: PairDataset) -> dict[str, Any]:
    splits: dict[str, dict[str, dict[str, int]]] = {}
    for (split, category), count in dataset.counts().items():
        splits.setdefault(split, {})[category] = vars(count)
    return {
        "name": dataset.name,
        "format": dataset.format,
        "sketches": len(dataset.records),
        "drawn_photos": len({record.photo for record in dataset.records}),
        "photos": len(dataset.photos),
        "categories": len(dataset.categories),
        "people": len({record.person for record in dataset.records} - {""}),
        "splits": splits,
        "flawless": not dataset.flaws,
        "findings": [{"kind": f.kind.value, "where": f.where, "detail": f.detail} for f in dataset.findings],
    }


def _print(dataset: PairDataset, every: bool, quick: bool) -> None:
    console = Console()
    console.print(_table(dataset, every))
    _print_findings(console, dataset, every)
    if quick:
        console.print("no image was decoded (--quick)", style="yellow")
    elif not dataset.findings:
        console.print("nothing amiss", style="green")


def _table(dataset: PairDataset, every: bool) -> Table:
    counts = dataset.counts()
    table = Table(
        title=escape(dataset.headline.replace(" photos, ", " photos,\n", 1)),
        caption="gallery: the photos among which a sketch's is to be found",
    )
    table.add_column("split")
    table.add_column("category")
    for heading in ("sketches", "of photos", "gallery", "people"):
        table.add_column(heading, justify="right")
    for name in dataset.splits or ("",):
        rows = {category: count for (split, category), count in counts.items() if split == name}
        if len(rows) > 1 and (every or len(counts) <= _READABLE_ROWS):
            for category, count in rows.items():
                table.add_row(escape(name), escape(category), *_figures([count]))
        label = next(iter(rows)) if len(rows) == 1 else f"{len(rows):,} categories"
        people = len({record.person for record in dataset.records if record.split == name} - {""})
        table.add_row(
            escape(name) or "-", escape(label), *_figures(list(rows.values()), people), end_section=True, style="bold"
        )
    return table


def _figures(counts: Sequence[Count], people: int | None = None) -> list[str]:
    people = sum(count.people for count in counts) if people is None else people
    sums = (sum(c.sketches for c in counts), sum(c.drawn_photos for c in counts), sum(c.photos for c in counts))
    return [*(f"{figure:,}" for figure in sums), f"{people:,}" if people else "-"]


def _print_findings(console: Console, dataset: PairDataset, every: bool) -> None:
    kinds: dict[str, list[Finding]] = {}
    for finding in dataset.findings:
        kinds.setdefault(finding.kind.value, []).append(finding)
    shown = max(2, _SHOWN_FINDINGS // max(1, len(kinds)))
    for kind, found in kinds.items():
        colour = "red" if found[0].is_flaw else "yellow"
        console.print(f"[{colour}]{kind}[/{colour}] ({len(found):,})")
        for finding in found if every else found[:shown]:
            console.print(f"  {escape(finding.where)}: {escape(finding.detail)}", highlight=False, soft_wrap=True)
        if not every and len(found) > shown:
            console.print(f"  and {len(found) - shown:,} more; --all lists them", highlight=False)


def _fail(error: Exception, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"error": type(error).__name__, "detail": str(error)}, ensure_ascii=False))
    else:
        console = Console(file=sys.stderr, stderr=True)
        console.print(f"[red]{type(error).__name__}:[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
    raise typer.Exit(1)
