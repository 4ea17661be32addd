"""`inkseek index build | update | compact | seal | verify | inspect | rollback | estimate`.

Exit codes: 0 done, 1 failed (the message says why), 2 wrong usage, 3 a gate was not passed: --min-recall,
or --max-deleted of an update.
With --json, stdout holds one JSON document, an error included; progress goes to stderr.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import typer

from index_builder.artifact import GalleryIndex, layout
from index_builder.artifact.bundle_versions import bundle_of
from index_builder.artifact.collection_check import collection_problems
from index_builder.artifact.manifest import GallerySource
from index_builder.artifact.verification import read_manifest
from index_builder.build import (
    MAX_DELETED,
    BuildRequest,
    BuildResult,
    Progress,
    build_index,
    compact_index,
    seal_index,
    update_index,
)
from index_builder.cli import display, parent
from index_builder.cli import options as opt
from index_builder.cli.build_options import EmbeddingOptions, VersionOptions
from index_builder.cli.estimate import estimate_command
from index_builder.cli.option_groups import with_option_groups
from index_builder.errors import RecallTooLow, TooManyDeleted
from index_builder.publish import rollback as roll_back
from models.bundle import read_manifest as read_bundle_manifest
from models.console import ExitCode, fail, print_json
from models.errors import InkseekError

app = typer.Typer(no_args_is_help=True)
app.command("estimate")(estimate_command)


@app.command()
@with_option_groups
def build(
    photos: opt.Photos, out: opt.Out, version: VersionOptions, embedding: EmbeddingOptions, as_json: opt.AsJson = False
) -> None:
    """Turn photos into a new version of the index, and publish it.

    A photo's id is its path below the folder, its category the first folder.
    In a manifest, photo_path is relative to the manifest; category and photo_id
    are optional, and every other column becomes filterable metadata.

    A photo or a cell that cannot be read is listed in report.jsonl and never
    stops the build; what systems put beside photos (@eaDir) is left out.
    Whatever fails, the version published before stays; --resume goes on
    where a build was interrupted.

    Exit codes: 0 published, 1 failed, 2 wrong usage, 3 below --min-recall.
    """
    _publish(build_index, embedding.applied(version.request(photos, out)), as_json=as_json)


@app.command()
@with_option_groups
def update(
    index: opt.IndexDir,
    version: VersionOptions,
    embedding: EmbeddingOptions,
    photos: opt.UpdatedPhotos = None,
    max_deleted: opt.MaxDeleted = f"{MAX_DELETED:.0%}",
    progress_lines: opt.ProgressLines = False,
    end_with_input: opt.EndWithInput = False,
    as_json: opt.AsJson = False,
) -> None:
    """Bring the index up to date with its photos, at the cost of what changed.

    A file of the same size and time of change is not read. Another is hashed:
    known bytes keep their vector, whatever they are called now, and the rest
    is embedded. Deleted photos leave. The build's --exclude patterns and
    --follow-links hold unless others are given.

    Exit codes: 0 published or up to date, 1 failed, 2 wrong usage, 3 below
    --min-recall or above --max-deleted.
    """
    if end_with_input:
        parent.end_with_input()
    try:
        gallery = _published_gallery(index)
    except InkseekError as error:
        fail(error, as_json=as_json)
    as_published = replace(
        version.request(photos or gallery.location, index),
        exclude=gallery.exclude,
        follow_links=gallery.follows_links,
        max_deleted=opt.share(max_deleted),
    )
    _publish(update_index, embedding.applied(as_published), as_json=as_json, lines=progress_lines)


@app.command()
@with_option_groups
def compact(index: opt.IndexDir, version: VersionOptions, as_json: opt.AsJson = False) -> None:
    """Write the published photos into one segment, without deleted ones.

    Updates merge segments by themselves once there are too many, or too many
    deleted photos in one.
    """
    _publish(compact_index, version.request(index, index), as_json=as_json)


@app.command()
@with_option_groups
def seal(
    index: opt.IndexDir,
    changes: opt.Changes,
    version: VersionOptions,
    progress_lines: opt.ProgressLines = False,
    end_with_input: opt.EndWithInput = False,
    as_json: opt.AsJson = False,
) -> None:
    """Take over what changed while a service ran, from the folder it was written to.

    A service does this by itself: POST /v1/index:rebuild. Nothing is embedded.
    """

    if end_with_input:
        parent.end_with_input()

    def sealed(request: BuildRequest, progress: Progress) -> BuildResult:
        return seal_index(request, changes, progress)

    _publish(sealed, version.request(index, index), as_json=as_json, lines=progress_lines)


def _published_gallery(index: Path) -> GallerySource:
    return read_manifest(layout.version_dir(index, layout.current_version(index))).gallery


def _publish(
    run: Callable[[BuildRequest, Progress], BuildResult],
    request: BuildRequest,
    *,
    as_json: bool,
    lines: bool = False,
) -> None:
    """Run it with progress shown, and print the version that is published then."""
    try:
        with display.progress(lines=lines) as progress:
            result = run(request, progress)
    except (RecallTooLow, TooManyDeleted) as error:
        fail(error, as_json=as_json, code=ExitCode.GATE_NOT_PASSED)
    except InkseekError as error:
        fail(error, as_json=as_json)
    if as_json:
        outcome = {"version": result.version, "removed": result.removed, "unchanged": result.unchanged}
        print_json({**outcome, **result.manifest.model_dump(mode="json")})
    else:
        display.print_build(request.out, result)


@app.command()
def verify(
    index: opt.IndexDir,
    version: opt.Version = None,
    bundle: opt.BundleOption = None,
    milvus_uri: opt.MilvusUri = None,
    milvus_token: opt.MilvusToken = None,
    as_json: opt.AsJson = False,
) -> None:
    """Check every byte, row and vector of a version; with --bundle, also that this bundle made it.

    With --milvus-uri, a version's collection has to hold its vectors to the bit.
    Exit code 1 when anything is wrong.
    """
    server = opt.milvus_server(milvus_uri, milvus_token)
    try:
        expected = read_bundle_manifest(bundle).bundle_id if bundle else None
        loaded = GalleryIndex.load(index, version=version, bundle_id=expected)
        problems = loaded.problems()
        if server is not None and loaded.manifest.collection is not None:
            in_milvus = GalleryIndex.load(index, version=loaded.version, check_files=False, milvus=server)
            problems += collection_problems(loaded, in_milvus)
            in_milvus.close()
        loaded.close()
    except InkseekError as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json({"version": loaded.version, "ok": not problems, "count": loaded.count, "problems": problems})
    else:
        display.print_verified(loaded, problems)
    if problems:
        raise typer.Exit(ExitCode.FAILED)


@app.command()
def inspect(index: opt.IndexDir, version: opt.Version = None, as_json: opt.AsJson = False) -> None:
    """Show a version: photos, categories, metadata, search plan, recall, and the other versions."""
    try:
        loaded = GalleryIndex.load(index, version=version, check_files=False)
        versions = layout.list_versions(index)
        current = layout.current_version(index)
        categories = loaded.categories()
        loaded.close()
    except InkseekError as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json(
            {
                "version": loaded.version,
                "current": current,
                "versions": versions,
                "categories": dict(categories),
                **loaded.manifest.model_dump(mode="json"),
            }
        )
    else:
        display.print_index(loaded, categories, versions, current)


@app.command()
def rollback(
    index: opt.IndexDir,
    to: opt.RollbackTo = None,
    milvus_uri: opt.MilvusUri = None,
    milvus_token: opt.MilvusToken = None,
    as_json: opt.AsJson = False,
) -> None:
    """Publish an earlier version again, after checking every byte of it.

    One of another bundle is published all the same, which is said: services
    of the bundle before keep the version that they have.
    """
    server = opt.milvus_server(milvus_uri, milvus_token)
    try:
        old, new = roll_back(index, to, server)
    except InkseekError as error:
        fail(error, as_json=as_json)
    before, now = bundle_of(index, old), bundle_of(index, new)
    if as_json:
        print_json({"previous": old, "version": new, "bundle_id": now, "previous_bundle_id": before})
    else:
        display.print_rollback(index, old, new, before, now)
