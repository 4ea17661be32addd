"""`inkseek data inspect | split | doodles`. Exit codes: 0 done, 1 failed (--strict: also for flaws), 2 wrong usage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from models.console import ExitCode, fail, print_json, stderr, stdout
from models.data.builders.doodles import write_doodle_pairs
from models.data.builders.splits import write_splits
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
    """Inspect sketch-photo data sets, and build one."""


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
    """Count a data set by split and category, and list what is wrong with it.

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
        fail(error, as_json=as_json)
    if as_json:
        print_json(_document(dataset))
    else:
        _print(dataset, every, quick)
        if sheet is not None:
            stdout().print(f"sheet of pairs: {escape(str(sheet))}", highlight=False, soft_wrap=True)
    # Last, since whoever asks for strictness also wants to read what the flaws are.
    if strict and dataset.flaws:
        raise typer.Exit(ExitCode.FAILED)


@app.command()
def split(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder with manifest.csv, as for your own pairs.")],
    share: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=SHARE", help="A split and its part of the photos; repeat it. [train=0.8 val=0.2]"),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other splits.")] = 0,
    again: Annotated[bool, typer.Option("--again", help="Replace the splits that the table has.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a sentence.")] = False,
) -> None:
    """Divide your own pairs into those that teach and those to measure with.

    Fills the column `split`. All sketches of a photo stay together, and each
    category is divided by itself.
    """
    try:
        counts = write_splits(folder, _shares(share or ["train=0.8", "val=0.2"]), seed=seed, again=again)
    except (InkseekError, OSError) as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json(counts)
    else:
        sizes = ", ".join(f"{count:,} sketches in {name}" for name, count in counts.items())
        stdout().print(f"{escape(str(folder))}: {escape(sizes)}", highlight=False, soft_wrap=True)


@app.command()
def doodles(
    data: Annotated[Path, typer.Option(metavar="DIR", help="The folder of the data sets.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where to write the pairs; usually DATA/doodles.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a sentence.")] = False,
) -> None:
    """Pair Quick, Draw! doodles with pictures of the same name.

    DATA holds quickdraw_strokes, tuxphoto, emoji_open and sketchy104, whose
    unseen categories are left out.
    """
    try:
        count = write_doodle_pairs(data, out)
    except (InkseekError, OSError) as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json({"pairs": count, "out": str(out)})
    else:
        stdout().print(f"{count:,} pairs written to {escape(str(out))}", highlight=False, soft_wrap=True)


def _shares(given: list[str]) -> dict[str, float]:
    shares: dict[str, float] = {}
    for text in given:
        name, equals, number = text.partition("=")
        try:
            shares[name.strip()] = float(number)
        except ValueError:
            equals = ""
        if not equals:
            raise typer.BadParameter(f"{text!r} is not NAME=SHARE, such as val=0.2", param_hint="--share")
    return shares


def _checked(dataset: PairDataset) -> PairDataset:
    with Progress(console=stderr(), transient=True) as progress:
        task = progress.add_task("decoding every image", total=dataset.image_count)
        return check_content(dataset, lambda: progress.advance(task))


def _write_sheet(dataset: PairDataset, path: Path, pairs: int, seed: int) -> None:
    if not dataset.records:
        raise typer.BadParameter(f"{dataset.name} has no pairs to draw a sheet of", param_hint="--sheet")
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
        "people": len(dataset.people),
        "labelled_sketches": len(dataset.labelled),
        "splits": splits,
        "flawless": not dataset.flaws,
        "findings": [{"kind": f.kind.value, "where": f.where, "detail": f.detail} for f in dataset.findings],
    }


def _print(dataset: PairDataset, every: bool, quick: bool) -> None:
    console = stdout()
    console.print(_table(dataset, every))
    _print_findings(console, dataset, every)
    if quick:
        console.print("no image was decoded (--quick)", style="yellow")
    elif not dataset.findings:
        console.print("no findings", style="green")


def _table(dataset: PairDataset, every: bool) -> Table:
    counts = dataset.counts()
    table = Table(
        title=escape(dataset.headline.replace(", ", ",\n", 1)),
        caption="gallery: the photos that a sketch of the split is searched in",
    )
    table.add_column("split")
    table.add_column("category")
    headings = ("sketches", "of photos", "gallery", "people", *(("without photo",) if dataset.labelled else ()))
    for heading in headings:
        table.add_column(heading, justify="right")
    for name in dataset.splits or ("",):
        rows = {category: count for (split, category), count in counts.items() if split == name}
        if len(rows) > 1 and (every or len(counts) <= _READABLE_ROWS):
            for category, count in rows.items():
                table.add_row(escape(name), escape(category), *_figures(count)[: len(headings)])
        label = next(iter(rows)) if len(rows) == 1 else f"{len(rows):,} categories"
        part = dataset.split(name) if name else dataset
        # Sums over categories would count an artist once per category.
        total = _total(rows.values(), len(part.people))
        figures = _figures(total)[: len(headings)]
        table.add_row(escape(name) or "-", escape(label), *figures, end_section=True, style="bold")
    return table


def _total(counts: Iterable[Count], people: int) -> Count:
    """The sums; but `people`, who may have drawn in several categories, are counted by the caller."""
    sums = [sum(column) for column in zip(*map(astuple, counts), strict=True)]
    return replace(Count(*sums), people=people)


def _figures(count: Count) -> list[str]:
    """The cells of a row; a dash where the data set names nobody."""
    people = f"{count.people:,}" if count.people else "-"
    return [f"{count.sketches:,}", f"{count.drawn_photos:,}", f"{count.photos:,}", people, f"{count.labelled:,}"]


def _print_findings(console: Console, dataset: PairDataset, every: bool) -> None:
    kinds: dict[str, list[Finding]] = {}
    for finding in dataset.findings:
        kinds.setdefault(finding.kind.value, []).append(finding)
    # Shared out among the kinds, so that one kind with thousands of findings does not hide the others.
    shown = max(2, _SHOWN_FINDINGS // max(1, len(kinds)))
    for kind, findings in kinds.items():
        colour = "red" if findings[0].is_flaw else "yellow"
        console.print(f"[{colour}]{kind}[/{colour}] ({len(findings):,})")
        for finding in findings if every else findings[:shown]:
            console.print(f"  {escape(finding.where)}: {escape(finding.detail)}", highlight=False, soft_wrap=True)
        if not every and len(findings) > shown:
            console.print(f"  and {len(findings) - shown:,} more; --all lists them", highlight=False)
