"""`inkseek bundle inspect | verify | quantize | add-adaptation`. Exit codes: 0 done, 1 refused, 2 wrong usage.

What makes variants needs the training extra, so it is imported by its command alone.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from models.adapters import Adaptation
from models.bundle import Bundle, BundleManifest, Runtime, add_adaptation, bundle_path, read_manifest
from models.cli.options import BundleArgument, BundleOption
from models.errors import InkseekError

app = typer.Typer(no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]


@app.command()
def inspect(path: BundleArgument = None, as_json: AsJson = False) -> None:
    """Show what a bundle is, how it prepares images, and how good it was measured to be."""
    try:
        manifest = read_manifest(path)
    except InkseekError as error:
        _fail(error)
    if as_json:
        typer.echo(manifest.model_dump_json(indent=2))
        return
    console = Console()
    console.print(_summary(manifest))
    if manifest.metrics:
        console.print(_figures(manifest))


@app.command()
def verify(path: BundleArgument = None, as_json: AsJson = False) -> None:
    """Check every byte, open both encoders, and have them answer a known drawing. Exit code 1 when anything is off."""
    try:
        bundle = Bundle.load(path, Runtime(device="cpu"))
        bundle.check_canary()
    except InkseekError as error:
        _fail(error)
    if as_json:
        typer.echo(f'{{"bundle_id": "{bundle.bundle_id}", "ok": true}}')
    else:
        Console().print(f"[green]{bundle.bundle_id}: {len(bundle.manifest.files)} files whole, canary answered[/green]")


@app.command()
def quantize(
    data: Annotated[Path, typer.Option(help="The folder of the data sets that the bundle was trained on.")],
    out: Annotated[Path, typer.Option(help="The variant's directory; a bundle that is there is replaced.")],
    bundle: BundleOption = None,
    precision: Annotated[str, typer.Option(help="int8, for CPUs, or float16, for GPUs.")] = "int8",
    name: Annotated[
        str | None, typer.Option(help="Of the variant; by default the parent's with the precision.")
    ] = None,
    max_loss: Annotated[float, typer.Option(min=0.0, help="Points of acc@1 that it may lose on any split.")] = 0.5,
    pairs: Annotated[int, typer.Option(min=1, help="Training pairs to find the ranges of activations on.")] = 256,
) -> None:
    """Make a variant of a bundle in another precision; it is written only when it finds as much as its parent."""
    if not all(importlib.util.find_spec(needed) for needed in ("onnx", "torch")):
        _fail(InkseekError("making variants needs torch: pip install --editable '.[train]' in a checkout"))
    from models.export.precision.variants import Precision, VariantRequest, make_variant

    if precision not in list(Precision):
        raise typer.BadParameter(f"one of {', '.join(Precision)}", param_hint="--precision")
    request = VariantRequest(bundle_path(bundle), data, out, Precision(precision), name, max_loss / 100, pairs)
    console = Console(file=sys.stderr, stderr=True)
    try:
        manifest = make_variant(request, lambda line: console.print(line, highlight=False, soft_wrap=True))
    except InkseekError as error:
        _fail(error)
    size = sum(entry.bytes for entry in manifest.files.values())
    Console().print(f"{manifest.bundle_id} written to {out}, {size / 1e6:.1f} MB", highlight=False, soft_wrap=True)


@app.command("add-adaptation")
def put_adaptation(
    file: Annotated[Path, typer.Argument(help="An adaptation.npz, as `inkseek train adapt` writes it.")],
    bundle: Annotated[
        Path,
        typer.Option(parser=bundle_path, metavar="BUNDLE", help="The bundle that it was made for."),
    ],
) -> None:
    """Put what fits heads to a few examples into a bundle, in place of what is there; its indexes stay good."""
    try:
        adaptation = Adaptation.load(file)
        manifest = add_adaptation(bundle, adaptation)
    except (InkseekError, OSError) as error:
        _fail(error)
    Console().print(f"{manifest.bundle_id}: {adaptation.adaptation_id}", highlight=False, soft_wrap=True)


def _fail(error: Exception) -> NoReturn:
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
