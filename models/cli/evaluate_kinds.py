"""`inkseek evaluate-kinds`: how often a drawing finds a picture of its kind in a mixed gallery."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from models.bundle import Bundle, Runtime
from models.cli.options import DEMO_GALLERY, BundleOption, GalleryOption
from models.cli.progress import encoding_progress
from models.console import fail, print_json, stdout
from models.data.datasets import mirrored, open_dataset, read_photos
from models.errors import InkseekError
from models.evaluation.kinds.measure import evaluate_kinds, kind_task
from models.evaluation.kinds.results import kind_document, print_kinds


def drawing_range(text: str) -> slice:
    """`20:25` -> the 21st to the 25th; either number may be missing. Raises typer.BadParameter."""
    match = re.fullmatch(r"(\d*):(\d*)", text.strip())
    if match is not None:
        first, end = (int(number) if number else None for number in match.groups())
        if end is None or (first or 0) < end:
            return slice(first, end)
    raise typer.BadParameter(f"{text!r} is no range such as 20:25 (counted from 0, the end excluded)")


def evaluate_kinds_command(
    data: Annotated[Path, typer.Option(metavar="DIR", help="Drawings by kind, such as Quick, Draw!'s ndjson files.")],
    gallery: GalleryOption = DEMO_GALLERY,
    bundle: BundleOption = None,
    split: Annotated[str | None, typer.Option(help="The kinds of this split alone.")] = None,
    drawings: Annotated[
        slice | None,
        typer.Option(parser=drawing_range, metavar="A:B", help="Of each kind, only drawings A to B - 1, from 0."),
    ] = None,
    mirror_queries: Annotated[
        bool, typer.Option("--mirror-queries", help="Exchange left and right of every drawing.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap.")] = 0,
    every: Annotated[bool, typer.Option("--all", help="List every kind.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")] = False,
) -> None:
    """Measure how often a drawing finds a picture of its kind, first and among ten.

    Right is every photo whose `name` is among the kind's accepted names.
    The whole gallery is searched, as the service does without a category;
    intervals are over kinds.
    """
    try:
        dataset = open_dataset(data)
        if mirror_queries:
            dataset = mirrored(dataset)
        task = kind_task(dataset, read_photos(gallery), split, drawings)
        encoders = Bundle.load(bundle, Runtime(threads=1))  # batches are encoded by threads of their own
        with encoding_progress() as progress:
            encoding = progress.add_task(f"encoding {split or dataset.name}", total=task.image_count)
            evaluation = evaluate_kinds(encoders, task, seed, partial(progress.advance, encoding))
    except (InkseekError, OSError) as error:
        fail(error, as_json=as_json)
    searched = " ".join(filter(None, (dataset.name, split)))
    # A gallery is called by its folder: every manifest has the same file name.
    among = gallery.resolve().parent.name
    if as_json:
        print_json(kind_document(encoders.bundle_id, searched, among, evaluation, seed))
    else:
        print_kinds(stdout(), encoders.bundle_id, searched, among, evaluation, every)
