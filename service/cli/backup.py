"""`inkseek backup`: one archive of what a service serves and keeps, made and put back while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from models.bundle import read_manifest
from models.console import fail, print_json, stderr, stdout
from models.errors import InkseekError
from service.backup.archive import open_archive
from service.backup.contents import BackupContents, Part
from service.backup.create import EVERY_PART, BackupRequest, archive_path, create, remove_older
from service.backup.places import Places
from service.backup.restore import Restored, RestoreRequest, restore
from service.backup.verify import verify
from service.cli.options import AsJson, BundleOption, IndexDir, OnlineDir, settings_of

app = typer.Typer(no_args_is_help=True)

Archive = Annotated[Path, typer.Argument(help="An archive that `backup create` wrote.")]
Only = Annotated[
    list[str] | None,
    typer.Option(
        help="index, online (adapters, uploads, feedback), keys or limits; again for each. All when not given."
    ),
]
OnlyGalleries = Annotated[
    list[str] | None,
    typer.Option("--gallery", help="A gallery, default among them; again for each. All when not given."),
]
Galleries = Annotated[
    str | None, typer.Option(help="Further galleries: a folder of index directories, or NAME=DIRECTORY,NAME=DIRECTORY.")
]
KeysFile = Annotated[Path | None, typer.Option(help="API keys, if not `keys.json` in the online folder.")]


def _part(text: str) -> Part:
    for part in EVERY_PART:
        if text == part:
            return part
    raise typer.BadParameter(f"{text!r} is none of {', '.join(EVERY_PART)}", param_hint="--only")


@app.command("create")
def create_backup(
    target: Annotated[Path, typer.Argument(help="The archive to write, or a folder, where its name is the time.")],
    index: IndexDir = None,
    online_dir: OnlineDir = None,
    galleries: Galleries = None,
    keys_file: KeysFile = None,
    only: Only = None,
    gallery: OnlyGalleries = None,
    every_version: Annotated[
        bool, typer.Option("--every-version", help="Earlier versions of the index too, not the published one alone.")
    ] = False,
    keep: Annotated[
        int | None,
        typer.Option(min=1, help="In a folder: remove all but so many archives, the newest, once this one is written."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write one archive of index, online store, API keys and quotas, while the service runs.

    Every file of the index is compared with its manifest as it is read. Photos of the gallery are not part of it, and
    neither is the bundle.
    """
    settings = settings_of(as_json, index=index, online_dir=online_dir, galleries=galleries, keys_file=keys_file)
    if keep is not None and not target.is_dir():
        raise typer.BadParameter(f"{target} is no folder", param_hint="--keep")
    path = archive_path(target)
    request = BackupRequest(tuple(map(_part, only or EVERY_PART)), tuple(gallery or ()), every_version, force)
    try:
        contents = create(path, Places(settings), request)
        removed = [] if keep is None else remove_older(path, keep)
    except (InkseekError, OSError) as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json({**_document(path, contents), "removed": [str(archive) for archive in removed]})
        return
    _show(path, contents)
    for archive in removed:
        stderr().print(f"removed {escape(str(archive))}", highlight=False, soft_wrap=True)


@app.command("verify")
def verify_backup(archive: Archive, as_json: AsJson = False) -> None:
    """Read every byte of an archive and compare it with its sha256, without unpacking it."""
    try:
        contents = verify(archive)
    except (InkseekError, OSError) as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json(_document(archive, contents))
    else:
        _show(archive, contents)
        stdout().print("every byte is as it was written", highlight=False)


@app.command("restore")
def restore_backup(
    archive: Archive,
    index: IndexDir = None,
    online_dir: OnlineDir = None,
    galleries: Galleries = None,
    keys_file: KeysFile = None,
    bundle: BundleOption = None,
    only: Only = None,
    gallery: OnlyGalleries = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Over what is there, also while a service runs on it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put an archive back, into new folders or onto a service that runs.

    All of it is checked before anything changes. The index is published as a new version, which a running service
    takes over like one from a build; online store and keys are as they were when the archive was made, and what changed
    since is gone.
    """
    settings = settings_of(
        as_json, index=index, online_dir=online_dir, galleries=galleries, keys_file=keys_file, bundle=bundle
    )
    try:
        bundle_id = read_manifest(settings.bundle).bundle_id
        request = RestoreRequest(tuple(map(_part, only or ())), tuple(gallery or ()), replace, bundle_id)
        restored = restore(archive, Places(settings), request)
    except (InkseekError, OSError) as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json(_restored_document(archive, restored))
        return
    for name, parts in restored.galleries.items():
        version = f": version {restored.versions[name]} is published" if name in restored.versions else ""
        stdout().print(f"{name}: {', '.join(parts) or 'nothing'}{version}", highlight=False, soft_wrap=True)
    if restored.keys is not None:
        stdout().print(f"{restored.keys} API keys", highlight=False)
    for limit, (then, now) in restored.limits.items():
        stderr().print(f"the setting {limit} was {then} and is {now}", highlight=False, soft_wrap=True)


@app.command("inspect")
def inspect_backup(archive: Archive, as_json: AsJson = False) -> None:
    """Show what an archive says that it holds; `verify` compares it."""
    try:
        with open_archive(archive) as reader:
            contents = reader.contents
    except (InkseekError, OSError) as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json(_document(archive, contents))
    else:
        _show(archive, contents)


def _document(path: Path, contents: BackupContents) -> dict[str, Any]:
    document = contents.model_dump(mode="json", exclude={"members"})
    return {"archive": str(path), **document, "files": len(contents.members), "bytes": contents.total_bytes}


def _restored_document(path: Path, restored: Restored) -> dict[str, Any]:
    return {
        "archive": str(path),
        "galleries": {
            name: {"parts": parts, "index_version": restored.versions.get(name)}
            for name, parts in restored.galleries.items()
        },
        "keys": restored.keys,
        "limits": {name: {"then": then, "now": now} for name, (then, now) in restored.limits.items()},
    }


def _show(path: Path, contents: BackupContents) -> None:
    size = f"{len(contents.members)} files, {contents.total_bytes / 2**20:,.1f} MiB"
    stdout().print(f"{escape(str(path))}: {size}, made {contents.created_at}", highlight=False, soft_wrap=True)
    for name, part in contents.galleries.items():
        index = part.index
        has = [] if index is None else [f"{index.photos:,} photos, {len(index.versions)} version(s), {index.published}"]
        has += [] if part.online_schema is None else ["the online store"]
        has += ["quotas"] if part.quotas else []
        stdout().print(f"  {name}: {'; '.join(has) or 'nothing'}", highlight=False, soft_wrap=True)
    if contents.keys is not None:
        stdout().print(f"  {contents.keys} API keys", highlight=False)
