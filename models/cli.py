"""`inkseek bundle inspect | verify`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from models.bundle import DEFAULT_BUNDLE, Bundle, BundleError, BundleManifest, Runtime, read_manifest

app = typer.Typer(no_args_is_help=True)

BundlePath = Annotated[Path, typer.Argument(help="The bundle's directory; the shipped one when not given.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]


@app.command()
def inspect(path: BundlePath = DEFAULT_BUNDLE, as_json: AsJson = False) -> None:
    """Show what a bundle is, how it prepares images, and how good it was measured to be."""
    try:
        manifest = read_manifest(path)
    except BundleError as error:
        _fail(error)
    if as_json:
        typer.echo(manifest.model_dump_json(indent=2))
        return
    console = Console()
    console.print(_summary(manifest))
    if manifest.metrics:
        console.print(_figures(manifest))


@app.command()
def verify(path: BundlePath = DEFAULT_BUNDLE, as_json: AsJson = False) -> None:
    """Check every byte, open both encoders, and have them answer a known drawing. Exit code 1 when anything is off."""
    try:
        bundle = Bundle.load(path, Runtime(device="cpu"))
        bundle.check_canary()
    except BundleError as error:
        _fail(error)
    if as_json:
        typer.echo(f'{{"bundle_id": "{bundle.bundle_id}", "ok": true}}')
    else:
        Console().print(f"[green]{bundle.bundle_id}: {len(bundle.manifest.files)} files whole, canary answered[/green]")


def _fail(error: BundleError) -> None:
    Console(file=sys.stderr, stderr=True).print(f"[red]{type(error).__name__}:[/red] {error}", highlight=False)
    raise typer.Exit(1)


def _summary(manifest: BundleManifest) -> Table:
    table = Table("encoder", "file", "MB", "input", "mean / std", title=manifest.bundle_id)
    for modality, spec in (("sketch", manifest.sketch), ("photo", manifest.photo)):
        prepare = spec.preprocess
        table.add_row(
            modality,
            spec.file,
            f"{manifest.files[spec.file].bytes / 1e6:.1f}",
            f"{prepare.size_px} px, {prepare.fit}",
            f"{prepare.mean} / {prepare.std}",
        )
    table.caption = f"embeddings of {manifest.embedding_dim} numbers, written {manifest.created_at:%Y-%m-%d %H:%M} UTC"
    return table


def _figures(manifest: BundleManifest) -> Table:
    table = Table("measured on", "figure", title="accuracy")
    for name, value in manifest.metrics.items():
        table.add_row(name, str(value))
    return table
