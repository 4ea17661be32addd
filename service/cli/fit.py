"""`inkseek adapters fit`."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.markup import escape

from models.bundle import Frame
from models.console import ExitCode, fail, print_json, stdout
from models.errors import InkseekError
from service.adaptation.adapt import AdaptOptions, adapt
from service.adaptation.examples import Examples, PhotoReference, SupportLimits
from service.adaptation.feedback import examples_of
from service.adaptation.targets import adapter_target
from service.cli.adapter_table import adapter_table
from service.cli.deep import fit_deep_here
from service.cli.options import AsJson, BundleOption, IndexDir, OnlineDir, settings_of
from service.errors import SupportMismatch
from service.http.schemas.adaptation.adapters import adapter_json
from service.runtime.serving import open_retriever
from service.search.retriever import Retriever
from service.store.feedback.pairs import FeedbackStore
from service.store.records import AdapterTarget

T = TypeVar("T")

Name = Annotated[str, typer.Argument(help="A category of the gallery; with --profile, a name for the user who draws.")]
Profile = Annotated[bool, typer.Option("--profile", help="NAME is a user's way of drawing, not a category.")]


def named_target(name: str, profile: bool) -> AdapterTarget:
    """What NAME means, with `--profile` or without. Raises NameInvalid."""
    return adapter_target("profile" if profile else "category", name)


def fit_adapter(
    name: Name,
    pair: Annotated[
        list[str] | None,
        typer.Option(help="SKETCH=PHOTO: a sketch file and the photo that it shows, an id or a file; may be repeated."),
    ] = None,
    pairs: Annotated[Path | None, typer.Option(help="A CSV file with the columns sketch and photo.")] = None,
    photo: Annotated[list[Path] | None, typer.Option(help="A further photo of the category; may be repeated.")] = None,
    from_feedback: Annotated[
        bool, typer.Option("--from-feedback", help="The category's feedback are examples, too: the newest pairs.")
    ] = False,
    profile: Profile = False,
    force: Annotated[bool, typer.Option("--force", help="Activate it even where no gain is expected.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only report how good it would be.")] = False,
    deep: Annotated[
        bool,
        typer.Option("--deep", help="Also tune the encoders' last projection: of a category, takes up to a minute."),
    ] = False,
    frame: Annotated[
        Frame,
        typer.Option(help="Crop and scale the drawings as strokes are; auto: where size and place say nothing."),
    ] = "auto",
    index: IndexDir = None,
    bundle: BundleOption = None,
    online_dir: OnlineDir = None,
    as_json: AsJson = False,
) -> None:
    """Adapt a category, or to a way of drawing, with a few sketches and the photos that they show.

    Ends with 3 when the adapter is stored but not active, because no gain is expected.
    """
    settings = settings_of(as_json, index=index, bundle=bundle, online_dir=online_dir)
    limits = SupportLimits(settings.max_pairs, settings.max_support_photos)
    most = settings.max_adapters, settings.max_online_photos
    options = AdaptOptions(limits, *most, frame=frame, force=force, dry_run=dry_run)
    try:
        target = named_target(name, profile)
        with open_retriever(settings) as retriever:
            examples = _examples(retriever, pair or [], pairs, photo or [])
            if from_feedback:
                examples = _with_feedback(retriever, target, examples, settings.max_pairs)

            async def run(job: Callable[[Retriever], T], /) -> T:
                # In this thread, one job after the other: a command has nobody else to answer meanwhile.
                return job(retriever)

            if deep:
                adapter = fit_deep_here(retriever, target, examples, options)
            else:
                adapter = asyncio.run(adapt(run, target, lambda: examples, options))
    except (InkseekError, OSError) as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json(adapter_json(adapter))
    else:
        stdout().print(f"{target}: {escape(adapter.reason)}", adapter_table([adapter]), soft_wrap=True)
    if not adapter.activated and not dry_run:
        raise typer.Exit(ExitCode.GATE_NOT_PASSED)


def _with_feedback(retriever: Retriever, target: AdapterTarget, examples: Examples, most: int) -> Examples:
    """The examples, then the feedback of the category up to `most` pairs. Raises SupportMismatch, OnlineCorrupt."""
    if target.scope == "profile":
        raise SupportMismatch("feedback is of categories; it does not say whose drawings they are")
    room = max(0, most - len(examples.sketches))
    given = examples_of(retriever, FeedbackStore(retriever.store.folder), target.name, room)
    shown = examples.photos[: len(examples.sketches)]
    return Examples((*examples.sketches, *given.sketches), (*shown, *given.photos, *examples.further))


def _examples(retriever: Retriever, pairs: list[str], table: Path | None, further: list[Path]) -> Examples:
    """The examples of the options: files are read here. Raises SupportMismatch, OSError."""
    rows = []
    for text in pairs:
        sketch, equals, photo = text.partition("=")
        if not equals:
            raise SupportMismatch(f"--pair {text!r} is no SKETCH=PHOTO")
        rows.append((Path(sketch), photo, Path()))
    if table is not None:
        with table.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if not {"sketch", "photo"} <= set(reader.fieldnames or ()):
                raise SupportMismatch(f"{table} has no columns sketch and photo")
            rows += [(table.parent / row["sketch"], row["photo"], table.parent) for row in reader]
    photos: list[PhotoReference] = []
    has_photo = retriever.gallery().view.has_photo
    for _, photo, folder in rows:
        # An id before a file of that name: ids are what a search answers.
        photos.append(photo if has_photo(photo) or not (folder / photo).is_file() else (folder / photo).read_bytes())
    return Examples(
        tuple(sketch.read_bytes() for sketch, _, _ in rows), (*photos, *(path.read_bytes() for path in further))
    )
