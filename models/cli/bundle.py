"""`inkseek bundle inspect | verify | build | card | quantize | known-kinds | calibrate | trim | add-adaptation |
compare`.

What makes bundles needs the training extra, whose packages take seconds to import: these commands import it when run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from models.adapters import Adaptation
from models.atomic_files import write_text
from models.bundle import (
    Bundle,
    BundleManifest,
    Runtime,
    SketchNormalisation,
    add_adaptation,
    bundle_path,
    read_manifest,
)
from models.cli.calibrate import calibrate_command
from models.cli.known_kinds import known_kinds_command
from models.cli.options import (
    BundleArgument,
    bundle_name,
)
from models.cli.quantize import quantize_command
from models.cli.trim import trim_command
from models.cli.written import report_written, require_extra
from models.console import ExitCode, fail, print_json, stdout
from models.errors import InkseekError
from models.studies.trade_off.entry import markdown
from models.studies.trade_off.measure import measure_trade_off
from models.studies.trade_off.page import trade_off_page

app = typer.Typer(no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]


@app.command()
def inspect(path: BundleArgument = None, as_json: AsJson = False) -> None:
    """Show what a bundle is, how it prepares images, and how accurate it was measured to be."""
    try:
        manifest = read_manifest(path)
    except InkseekError as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json(manifest.model_dump(mode="json"))
        return
    stdout().print(_summary(manifest))
    if manifest.metrics:
        stdout().print(_figures(manifest))


@app.command()
def verify(path: BundleArgument = None, as_json: AsJson = False) -> None:
    """Check every byte, open both encoders, and let them embed a known drawing. Exit code 1 where anything differs."""
    try:
        bundle = Bundle.load(path, Runtime(device="cpu"))
        bundle.check_canary()
    except InkseekError as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json({"bundle_id": bundle.bundle_id, "ok": True})
    else:
        files = len(bundle.manifest.files)
        stdout().print(
            f"{bundle.bundle_id}: {files} files intact, the known drawing is embedded as when it was written"
        )


@app.command()
def build(
    students: Annotated[
        Path, typer.Option(metavar="FILE", help="A students.pt, as `inkseek train students` writes it.")
    ],
    data: Annotated[Path, typer.Option(help="The folder of the data sets that the experiment validates on.")],
    out: Annotated[Path, typer.Option(help="The bundle's directory; a bundle that is there is replaced.")],
    card: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A card written by hand; {figures} in it becomes the figures."),
    ] = None,
    intro: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Text for the head of the card, which else writes itself from the run."),
    ] = None,
    name: Annotated[
        str,
        typer.Option(parser=bundle_name, metavar="NAME", help="The bundle's name; its id gets a hash of the content."),
    ] = "inkseek-students",
    min_extent: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Re-centre drawings smaller than this share of the canvas; by default as the experiment says.",
        ),
    ] = None,
    min_accuracy: Annotated[
        float | None,
        typer.Option(min=0.0, max=100.0, help="Per cent of acc@1 that each split has to reach; else chance level."),
    ] = None,
    storage: Annotated[
        str, typer.Option(help="How weights lie in the files: half, or byte for half of that again.")
    ] = "half",
    trim: Annotated[
        bool | None,
        typer.Option("--trim/--no-trim", help="Cut photos on a plain ground to what stands on it; else as trained."),
    ] = None,
    photo_px: Annotated[
        int | None,
        typer.Option(
            min=32, max=1024, help="Side of the photo encoder's input; else the students' own, as of sketches."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Export students as a bundle; it is written only when both gates are passed, parity and accuracy (else exit 3)."""
    require_extra(as_json)
    from models.export.build import Release, build_bundle
    from models.export.gates import GateNotPassed
    from models.export.stored_weights import Storage

    if card is not None and intro is not None:
        raise typer.BadParameter("a card written by hand has its own: give one of them", param_hint="--intro")
    if storage not in list(Storage):
        raise typer.BadParameter(f"one of {', '.join(Storage)}", param_hint="--storage")
    minimum = None if min_accuracy is None else min_accuracy / 100
    framing = None if min_extent is None else SketchNormalisation(min_extent=min_extent)
    release = Release(students, card, data, out, name, framing, minimum, Storage(storage), intro, trim, photo_px)
    try:
        bundle = build_bundle(release)
    except GateNotPassed as error:
        fail(error, as_json=as_json, code=ExitCode.GATE_NOT_PASSED)
    except (InkseekError, OSError) as error:
        fail(error, as_json=as_json)
    report_written(bundle.manifest, out, as_json)


app.command("quantize")(quantize_command)
app.command("known-kinds")(known_kinds_command)
app.command("calibrate")(calibrate_command)
app.command("trim")(trim_command)


@app.command()
def card(
    bundle: Annotated[
        Path, typer.Option(parser=bundle_path, metavar="BUNDLE", help="A bundle that `inkseek bundle build` made.")
    ],
    evaluation: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A document of `inkseek evaluate --json`, or evaluate-kinds; repeatable."),
    ] = None,
    intro: Annotated[Path | None, typer.Option(metavar="FILE", help="Text for the head of the card.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a bundle's model card anew, with evaluations of it; its id and its indexes stay valid."""
    require_extra(as_json)
    from models.export.card.rewrite import rewrite_card

    try:
        manifest = rewrite_card(bundle, intro, evaluation or ())
    except (InkseekError, OSError) as error:
        fail(error, as_json=as_json)
    report_written(manifest, bundle, as_json)


@app.command("add-adaptation")
def put_adaptation(
    file: Annotated[Path, typer.Argument(help="An adaptation.npz, as `inkseek train adapt` writes it.")],
    bundle: Annotated[
        Path,
        typer.Option(parser=bundle_path, metavar="BUNDLE", help="The bundle that it was made for."),
    ],
) -> None:
    """Put an adaptation into a bundle, in place of the one that is there; the bundle's indexes stay valid."""
    try:
        adaptation = Adaptation.load(file)
        manifest = add_adaptation(bundle, adaptation)
    except (InkseekError, OSError) as error:
        fail(error)
    stdout().print(f"{manifest.bundle_id}: {adaptation.adaptation_id}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def compare(
    bundles: Annotated[
        list[Path], typer.Argument(parser=bundle_path, metavar="BUNDLE...", help="Names or directories.")
    ],
    report: Annotated[Path | None, typer.Option(metavar="FILE", help="Write an HTML page with charts.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each bundle encodes while it is timed.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Compare bundles by acc@1, CPU time per sketch and size; costs are relative to the first one's."""
    if report is not None and report.suffix.lower() not in (".html", ".htm"):
        raise typer.BadParameter(f"{report.name} should end in .html", param_hint="--report")
    try:
        entries = measure_trade_off(bundles, rounds)
        if report is not None:
            report.parent.mkdir(parents=True, exist_ok=True)
            write_text(report, trade_off_page(entries))
    except (InkseekError, OSError) as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json([vars(entry) for entry in entries])
    else:
        stdout().print(markdown(entries), markup=False, highlight=False, soft_wrap=True)


def _summary(manifest: BundleManifest) -> Table:
    table = Table("encoder", "file", "MB", "input", "mean / std", title=manifest.bundle_id)
    for modality, spec in (("sketch", manifest.sketch), ("photo", manifest.photo)):
        prepare = spec.preprocess
        table.add_row(
            modality,
            spec.file,
            f"{manifest.files[spec.file].bytes / 1e6:.1f}",
            f"{prepare.size_px} px, {prepare.fit}" + (", trimmed" if prepare.trim else ""),
            f"{prepare.mean} / {prepare.std}",
        )
    table.caption = f"embeddings of {manifest.embedding_dim} numbers, written {manifest.created_at:%Y-%m-%d %H:%M} UTC"
    return table


def _figures(manifest: BundleManifest) -> Table:
    table = Table("measured on", "figure", title="accuracy")
    for name, value in manifest.metrics.items():
        table.add_row(name, str(value))
    return table
