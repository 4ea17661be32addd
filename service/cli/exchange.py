"""`inkseek adapters export | import`: adapters as files, between services of one bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from models.atomic_files import write_bytes
from models.bundle import read_manifest
from models.console import fail, print_json, stdout
from models.errors import InkseekError
from service.adaptation.exchange import exported, imported
from service.adaptation.targets import adapter_target
from service.cli.fit import Name, Profile
from service.cli.options import AsJson, BundleOption, IndexDir, OnlineDir, settings_of
from service.http.schemas.adapters import adapter_json
from service.store.online_store import OnlineStore
from service.store.records import StoreLimits


def export_adapter(
    name: Name,
    adapter_id: Annotated[str, typer.Argument(help="An adapter's id, as `list` shows it.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The file, a zip archive.")],
    profile: Profile = False,
    index: IndexDir = None,
    bundle: BundleOption = None,
    online_dir: OnlineDir = None,
    as_json: AsJson = False,
) -> None:
    """Write an adapter with its examples to a file. Photos are named in it, and stay behind."""
    settings = settings_of(as_json, index=index, bundle=bundle, online_dir=online_dir)
    try:
        manifest = read_manifest(settings.bundle)
        store = OnlineStore(settings.online_folder, manifest.bundle_id, manifest.adapted_dim)
        data = exported(store, adapter_target("profile" if profile else "category", name), adapter_id)
        write_bytes(out, data)
    except (InkseekError, OSError) as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json({"adapter_id": adapter_id, "file": str(out), "bytes": len(data)})
    else:
        stdout().print(f"{adapter_id} written to {out}", markup=False, highlight=False, soft_wrap=True)


def import_adapter(
    file: Annotated[Path, typer.Argument(help="A file that `export` wrote.")],
    activate: Annotated[bool, typer.Option("--activate", help="Activate it; without, it is idle.")] = False,
    index: IndexDir = None,
    bundle: BundleOption = None,
    online_dir: OnlineDir = None,
    as_json: AsJson = False,
) -> None:
    """Store the adapter of a file, which another service of the same bundle exported."""
    settings = settings_of(as_json, index=index, bundle=bundle, online_dir=online_dir)
    try:
        manifest = read_manifest(settings.bundle)
        limits = StoreLimits(settings.max_online_targets, settings.max_online_bytes)
        store = OnlineStore(settings.online_folder, manifest.bundle_id, manifest.adapted_dim, limits)
        data, most = file.read_bytes(), settings.max_adapters
        adapter = imported(store, data, manifest.adapted_dim, most, activate=activate)
    except (InkseekError, OSError) as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json(adapter_json(adapter))
    else:
        said = f"{adapter.target}: {adapter.adapter_id} (version {adapter.version}) is {adapter.state}"
        stdout().print(said, markup=False, highlight=False, soft_wrap=True)
