"""`inkseek adapters`: what the service does over HTTP, on the online store of an index folder.

A service that runs on the same folder sees each change at once.
"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from models.console import ExitCode, fail, print_json, stdout
from models.errors import InkseekError
from service.adaptation.refit import RefitResult, encode_uploads_anew, refit_adapters
from service.cli.adapter_table import adapter_table
from service.cli.exchange import export_adapter, import_adapter
from service.cli.feedback import suggest
from service.cli.fit import Name, Profile, fit_adapter, named_target
from service.cli.options import AdapterId, AsJson, BundleOption, IndexDir, OnlineDir, settings_of, store_of
from service.http.schemas.adaptation.adapters import adapter_json
from service.runtime.serving import open_retriever

app = typer.Typer(no_args_is_help=True)
app.command("fit")(fit_adapter)
app.command("suggest")(suggest)
app.command("export")(export_adapter)
app.command("import")(import_adapter)


@app.command("list")
def list_adapters(
    name: Annotated[str | None, typer.Argument(help="A category or, with --profile, a profile; else all.")] = None,
    profile: Profile = False,
    index: IndexDir = None,
    bundle: BundleOption = None,
    online_dir: OnlineDir = None,
    as_json: AsJson = False,
) -> None:
    """Show the adapters, the newest first: which are active, which idle, which belong to another bundle."""
    settings = settings_of(as_json, index=index, bundle=bundle, online_dir=online_dir)
    try:
        target = named_target(name, profile) if name is not None else None
        adapters = store_of(settings).list_adapters(target)
    except InkseekError as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json({"adapters": [adapter_json(adapter) for adapter in adapters]})
    else:
        stdout().print(adapter_table(adapters))


@app.command()
def activate(
    name: Name,
    adapter_id: AdapterId,
    profile: Profile = False,
    index: IndexDir = None,
    bundle: BundleOption = None,
    online_dir: OnlineDir = None,
    as_json: AsJson = False,
) -> None:
    """Activate a stored adapter, whatever its leave-one-out figures."""
    settings = settings_of(as_json, index=index, bundle=bundle, online_dir=online_dir)
    try:
        target = named_target(name, profile)
        adapter = store_of(settings).activate(target, adapter_id)
    except InkseekError as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json(adapter_json(adapter))
    else:
        _say(f"{target}: [green]{adapter.adapter_id}[/green] (version {adapter.version}) is active")


@app.command()
def rollback(
    name: Name,
    profile: Profile = False,
    index: IndexDir = None,
    bundle: BundleOption = None,
    online_dir: OnlineDir = None,
    as_json: AsJson = False,
) -> None:
    """Activate the adapter that was active before, or none."""
    settings = settings_of(as_json, index=index, bundle=bundle, online_dir=online_dir)
    try:
        target = named_target(name, profile)
        active = store_of(settings).roll_back(target)
    except InkseekError as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json({"active": active})
    else:
        _say(f"{target}: {active or 'no adapter'} is active")


@app.command()
def delete(
    name: Name,
    adapter_id: AdapterId,
    photos: Annotated[bool, typer.Option("--photos", help="Also its uploaded photos.")] = False,
    profile: Profile = False,
    index: IndexDir = None,
    bundle: BundleOption = None,
    online_dir: OnlineDir = None,
    as_json: AsJson = False,
) -> None:
    """Delete an adapter and its examples; if it was active, the one before it is again."""
    settings = settings_of(as_json, index=index, bundle=bundle, online_dir=online_dir)
    try:
        target = named_target(name, profile)
        store_of(settings).delete(target, adapter_id, with_photos=photos)
    except InkseekError as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json({"deleted": adapter_id})
    else:
        _say(f"{target}: {adapter_id} is deleted")


@app.command()
def refit(
    force: Annotated[bool, typer.Option("--force", help="Activate them even where no gain is expected.")] = False,
    index: IndexDir = None,
    bundle: BundleOption = None,
    online_dir: OnlineDir = None,
    as_json: AsJson = False,
) -> None:
    """After a change of bundle: fit the adapters that were active anew, to the examples that are kept with them."""
    settings = settings_of(as_json, index=index, bundle=bundle, online_dir=online_dir)
    try:
        with open_retriever(settings) as retriever:
            encoded = encode_uploads_anew(retriever)
            results = list(refit_adapters(retriever, max_adapters=settings.max_adapters, force=force))
    except InkseekError as error:
        fail(error, as_json=as_json)
    if as_json:
        outcomes = [
            {
                "stale": result.stale.adapter_id,
                "made": adapter_json(result.made) if result.made else None,
                "problem": result.problem,
                "examples_lost": result.lost,
            }
            for result in results
        ]
        print_json({"adapters": outcomes, "photos_encoded": encoded})
    else:
        for result in results:
            _say(_outcome(result))
        _say(f"{len(results)} adapters, {encoded} uploaded photos encoded anew")
    # After the output: those that were fitted are stored, whatever became of the others.
    if any(result.made is None for result in results):
        raise typer.Exit(ExitCode.FAILED)


def _outcome(result: RefitResult) -> str:
    reason = result.made.reason if result.made else f"[red]not fitted:[/red] {escape(result.problem or '')}"
    lost = f" ({result.lost} examples are gone with their photos)" if result.lost else ""
    return f"{result.stale.target}: {reason}{lost}"


def _say(text: str) -> None:
    stdout().print(text, highlight=False, soft_wrap=True)
