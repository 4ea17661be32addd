"""`inkseek index build | verify | inspect | rollback`.

Exit codes: 0 done, 1 refused or failed (the message says why), 2 wrong usage, 3 the new index missed --min-recall.
With --json, stdout holds one JSON document, an error included; progress goes to stderr.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from index_builder.artifact import GalleryIndex, layout
from index_builder.build import BuildRequest, build_index
from index_builder.cli import console
from index_builder.errors import RecallTooLow
from index_builder.publish import rollback as roll_back
from index_builder.stores.plan import KindChoice
from models.bundle import ImageLimits, Runtime
from models.bundle import read_manifest as read_bundle_manifest
from models.errors import InkseekError

app = typer.Typer(no_args_is_help=True)

FAILED, MISSED_THE_GATE = 1, 3

IndexDir = Annotated[Path, typer.Option("--index", help="The index directory (--out of `build`).")]
Version = Annotated[str | None, typer.Option(help="A version by name; the published one when not given.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
BundleDir = Annotated[Path | None, typer.Option(help="The bundle's directory; the shipped one when not given.")]


@app.command()
def build(
    photos: Annotated[
        Path, typer.Option(help="A folder of photos, or a manifest (.csv, .parquet) with a column photo_path.")
    ],
    out: Annotated[Path, typer.Option(help="The index directory: made when not there, else a new version is added.")],
    bundle: BundleDir = None,
    kind: Annotated[KindChoice, typer.Option(help="The index; auto chooses by the number of photos.")] = "auto",
    sketches: Annotated[
        Path | None, typer.Option(help="Sketches to measure recall with: a folder, or a CSV with a column sketch_path.")
    ] = None,
    min_recall: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="Do not publish below this recall@10 (exit code 3).")
    ] = None,
    keep: Annotated[
        int, typer.Option(min=1, help="Versions to keep, beside the one published until now; older ones are removed.")
    ] = 3,
    max_megapixels: Annotated[float, typer.Option(min=0.01, help="Larger photos are skipped.")] = 50,
    max_megabytes: Annotated[float, typer.Option(min=0.01, help="Larger files are skipped.")] = 64,
    workers: Annotated[int | None, typer.Option(min=1, help="Threads; one a CPU when not given.")] = None,
    batch: Annotated[
        int | None, typer.Option(min=1, help="Photos encoded at a time; by device when not given.")
    ] = None,
    require_gpu: Annotated[bool, typer.Option("--require-gpu", help="Fail rather than encode on the CPU.")] = False,
    as_json: AsJson = False,
) -> None:
    """Turn photos into a new version of the index, and publish it.

    A photo's id is its path below the folder, its category the first folder.
    In a manifest, photo_path is relative to the manifest; category and photo_id
    are optional, and every other column becomes filterable metadata.

    A photo that cannot be read is listed in report.jsonl and never stops the
    build. Whatever fails, the version published before stays.

    Exit codes: 0 published, 1 refused or failed, 2 usage, 3 below --min-recall.
    """
    request = BuildRequest(
        photos=photos,
        out=out,
        bundle=bundle,
        kind=kind,
        sketches=sketches,
        min_recall=min_recall,
        keep=keep,
        limits=ImageLimits(max_bytes=int(max_megabytes * 2**20), max_pixels=int(max_megapixels * 1e6)),
        runtime=Runtime(threads=1, require_gpu=require_gpu),
        workers=workers,
        batch=batch,
    )
    try:
        with console.progress() as progress:
            result = build_index(request, progress)
    except InkseekError as error:
        _fail(error, as_json)
    if as_json:
        console.print_json(version=result.version, removed=result.removed, **result.manifest.model_dump(mode="json"))
    else:
        console.print_build(out, result)


@app.command()
def verify(index: IndexDir, version: Version = None, bundle: BundleDir = None, as_json: AsJson = False) -> None:
    """Check every byte, row and vector of a version; with --bundle, also that this bundle made it.

    Exit code 1 when anything is off.
    """
    try:
        expected = read_bundle_manifest(bundle).bundle_id if bundle else None
        loaded = GalleryIndex.load(index, version=version, bundle_id=expected)
        problems = loaded.problems()
        loaded.close()
    except InkseekError as error:
        _fail(error, as_json)
    if as_json:
        console.print_json(version=loaded.version, ok=not problems, count=loaded.count, problems=problems)
    else:
        console.print_verified(loaded, problems)
    if problems:
        raise typer.Exit(FAILED)


@app.command()
def inspect(index: IndexDir, version: Version = None, as_json: AsJson = False) -> None:
    """Show what a version is: photos, categories, metadata, how it searches, how well, and the other versions."""
    try:
        loaded = GalleryIndex.load(index, version=version, check_files=False)
        versions = layout.list_versions(index)
        current = layout.current_version(index)
        categories = loaded.categories()
        loaded.close()
    except InkseekError as error:
        _fail(error, as_json)
    if as_json:
        document: dict[str, Any] = loaded.manifest.model_dump(mode="json")
        console.print_json(
            version=loaded.version, current=current, versions=versions, categories=dict(categories), **document
        )
    else:
        console.print_index(loaded, categories, versions, current)


@app.command()
def rollback(
    index: IndexDir,
    to: Annotated[
        str | None, typer.Option(help="A version by name; the one before the published when not given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Publish an earlier version again, after checking every byte of it."""
    try:
        old, new = roll_back(index, to)
    except InkseekError as error:
        _fail(error, as_json)
    if as_json:
        console.print_json(previous=old, version=new)
    else:
        console.stdout().print(f"{index}: [green]{new}[/green] is published again (it was {old})", highlight=False)


def _fail(error: InkseekError, as_json: bool) -> NoReturn:
    if as_json:
        # What the error knows beyond its message: what, expected, actual; measured, required.
        console.print_json(error=type(error).__name__, detail=str(error), **vars(error))
    else:
        console.print_error(error)
    raise typer.Exit(MISSED_THE_GATE if isinstance(error, RecallTooLow) else FAILED)
