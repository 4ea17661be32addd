"""`inkseek adapters`: what the service does over HTTP, on the online room of an index folder.

A service that runs on the same folder sees each change at once. Exit codes and --json as in service/cli/serve.py.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from models.bundle import read_manifest
from models.errors import InkseekError
from service.adaptation.examples import Examples, SupportLimits, adapter_target, check_examples
from service.adaptation.fit import check, encode_photo, encode_sketch, fit, photos_to_encode
from service.adaptation.refit import encode_uploads_anew, refit_adapters
from service.cli.serve import FAILED, BundleDir, IndexDir, OnlineDir, print_json, refuse, settings_of
from service.config import Settings
from service.errors import SupportMismatch
from service.http.adapter_answers import adapter_answer, adapters_answer, dry_run_answer
from service.runtime.serving import load_bundle, load_retriever
from service.search.retriever import Retriever
from service.store.online_store import OnlineRoom
from service.store.records import AdapterTarget

app = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="A category of the gallery; with --profile, a name for who draws.")]
Profile = Annotated[bool, typer.Option("--profile", help="NAME is a person's drawing style, not a category.")]
AdapterId = Annotated[str, typer.Argument(help="An adapter's id, as `list` shows it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]


@app.command("fit")
def fit_adapter(
    name: Name,
    pair: Annotated[
        list[str] | None,
        typer.Option(help="SKETCH=PHOTO: a sketch file and the photo that it shows, an id or a file; may be repeated."),
    ] = None,
    pairs: Annotated[Path | None, typer.Option(help="A CSV file with the columns sketch and photo.")] = None,
    photo: Annotated[list[Path] | None, typer.Option(help="A further photo of the category; may be repeated.")] = None,
    profile: Profile = False,
    force: Annotated[bool, typer.Option("--force", help="Serve it even if leave-one-out gets worse.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only report how good it would be.")] = False,
    index: IndexDir = None,
    bundle: BundleDir = None,
    online_dir: OnlineDir = None,
    as_json: AsJson = False,
) -> None:
    """Teach a category, or a drawing style, from a few sketches and the photos that they show."""
    settings = settings_of(as_json, index=index, bundle=bundle, online_dir=online_dir)
    try:
        target = _target(name, profile)
        retriever = load_retriever(settings, load_bundle(settings))
        examples = _examples(retriever, pair or [], pairs, photo or [])
        check_examples(examples, SupportLimits(settings.max_pairs, settings.max_support_photos))
        check(retriever, target, examples)
        sketches = [encode_sketch(retriever, data, number) for number, data in enumerate(examples.sketches)]
        uploads = {
            number: encode_photo(retriever, target.name, data, number) for number, data in photos_to_encode(examples)
        }
        new = fit(retriever, target, examples, sketches, uploads, force=force)
        stored = None if dry_run else retriever.room.add(new, settings.max_adapters, settings.max_online_photos)
    except (InkseekError, OSError) as error:
        refuse(error, as_json)
    answer = adapter_answer(stored) if stored else dry_run_answer(new)
    if as_json:
        print_json(answer)
    else:
        Console().print(f"{target}: {escape(answer['reason'])}", _table([answer]), soft_wrap=True)


@app.command("list")
def list_adapters(
    name: Annotated[str | None, typer.Argument(help="A category or, with --profile, who draws; else all.")] = None,
    profile: Profile = False,
    index: IndexDir = None,
    bundle: BundleDir = None,
    online_dir: OnlineDir = None,
    as_json: AsJson = False,
) -> None:
    """Show the adapters, the newest first: which serve, which are idle, which belong to another bundle."""
    settings = settings_of(as_json, index=index, bundle=bundle, online_dir=online_dir)
    try:
        target = _target(name, profile) if name is not None else None
        found = _room(settings).list_adapters(target)
    except InkseekError as error:
        refuse(error, as_json)
    if as_json:
        print_json({"adapters": adapters_answer(found)["adapters"]})
    else:
        Console().print(_table([adapter_answer(adapter) for adapter in found]))


@app.command()
def activate(
    name: Name,
    adapter_id: AdapterId,
    profile: Profile = False,
    index: IndexDir = None,
    bundle: BundleDir = None,
    online_dir: OnlineDir = None,
    as_json: AsJson = False,
) -> None:
    """Put a stored adapter into service."""
    settings = settings_of(as_json, index=index, bundle=bundle, online_dir=online_dir)
    try:
        target = _target(name, profile)
        adapter = _room(settings).activate(target, adapter_id)
    except InkseekError as error:
        refuse(error, as_json)
    if as_json:
        print_json(adapter_answer(adapter))
    else:
        Console().print(
            f"{target}: [green]{adapter.adapter_id}[/green] (version {adapter.version}) serves", highlight=False
        )


@app.command()
def rollback(
    name: Name,
    profile: Profile = False,
    index: IndexDir = None,
    bundle: BundleDir = None,
    online_dir: OnlineDir = None,
    as_json: AsJson = False,
) -> None:
    """Serve the adapter that was active before, or none."""
    settings = settings_of(as_json, index=index, bundle=bundle, online_dir=online_dir)
    try:
        target = _target(name, profile)
        active = _room(settings).roll_back(target)
    except InkseekError as error:
        refuse(error, as_json)
    if as_json:
        print_json({"active": active})
    else:
        Console().print(f"{target}: {active or 'no fitted adapter'} serves", highlight=False)


@app.command()
def delete(
    name: Name,
    adapter_id: AdapterId,
    photos: Annotated[bool, typer.Option("--photos", help="Also the photos that came with it.")] = False,
    profile: Profile = False,
    index: IndexDir = None,
    bundle: BundleDir = None,
    online_dir: OnlineDir = None,
    as_json: AsJson = False,
) -> None:
    """Remove an adapter and its examples; was it active, the one before it serves again."""
    settings = settings_of(as_json, index=index, bundle=bundle, online_dir=online_dir)
    try:
        target = _target(name, profile)
        _room(settings).delete(target, adapter_id, with_photos=photos)
    except InkseekError as error:
        refuse(error, as_json)
    if as_json:
        print_json({"deleted": adapter_id})
    else:
        Console().print(f"{target}: {adapter_id} is deleted", highlight=False)


@app.command()
def refit(
    force: Annotated[bool, typer.Option("--force", help="Serve them even if leave-one-out gets worse.")] = False,
    index: IndexDir = None,
    bundle: BundleDir = None,
    online_dir: OnlineDir = None,
    as_json: AsJson = False,
) -> None:
    """After a change of bundle: fit the adapters that were active anew, to the examples that are kept with them."""
    settings = settings_of(as_json, index=index, bundle=bundle, online_dir=online_dir)
    try:
        retriever = load_retriever(settings, load_bundle(settings))
        encoded = encode_uploads_anew(retriever)
        results = list(refit_adapters(retriever, max_adapters=settings.max_adapters, force=force))
    except InkseekError as error:
        refuse(error, as_json)
    if as_json:
        adapters = [
            {
                "stale": result.stale.adapter_id,
                "made": adapter_answer(result.made) if result.made else None,
                "problem": result.problem,
                "examples_lost": result.lost,
            }
            for result in results
        ]
        print_json({"adapters": adapters, "photos_encoded": encoded})
    else:
        for result in results:
            said = result.made.reason if result.made else f"[red]not made anew:[/red] {escape(result.problem or '')}"
            gone = f" ({result.lost} examples are gone with their photos)" if result.lost else ""
            Console().print(f"{result.stale.target}: {said}{gone}", highlight=False, soft_wrap=True)
        Console().print(f"{len(results)} adapters, {encoded} uploaded photos encoded anew", highlight=False)
    if any(result.made is None for result in results):
        raise typer.Exit(FAILED)


def _room(settings: Settings) -> OnlineRoom:
    """The online room alone: no encoder and no index are needed to switch adapters."""
    manifest = read_manifest(settings.bundle)
    return OnlineRoom(settings.online_folder, manifest.bundle_id, manifest.embedding_dim)


def _target(name: str, profile: bool) -> AdapterTarget:
    return adapter_target("profile" if profile else "category", name)


def _examples(retriever: Retriever, given: list[str], table: Path | None, further: list[Path]) -> Examples:
    rows = []
    for text in given:
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
    photos: list[str | bytes] = []
    known = retriever.gallery().view.has_photo
    for _, photo, folder in rows:
        # An id before a file of that name: ids are what a search answers.
        photos.append(photo if known(photo) or not (folder / photo).is_file() else (folder / photo).read_bytes())
    return Examples(
        tuple(sketch.read_bytes() for sketch, _, _ in rows), (*photos, *(path.read_bytes() for path in further))
    )


def _table(adapters: list[dict[str, Any]]) -> Table:
    id_column = Column("adapter", no_wrap=True, min_width=17)  # to be copied from
    table = Table("for", "version", id_column, "state", "k", "1 / rank before", "after", "fitted")
    for adapter in adapters:
        figures = adapter["leave_one_out"]
        table.add_row(
            escape(adapter["category"] or f"profile {adapter['profile']}"),
            str(adapter["version"] or ""),
            adapter["adapter_id"] or "",
            adapter["state"],
            str(adapter["k"]),
            f"{figures['before']['mrr']:.3f}",
            f"{figures['after']['mrr']:.3f}",
            adapter["created_at"],
        )
    return table
