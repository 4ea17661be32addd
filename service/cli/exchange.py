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
from service.cli.fit import Name, Profile, named_target
from service.cli.options import AdapterId, AsJson, BundleOption, IndexDir, OnlineDir, settings_of, store_of
from service.http.schemas.adaptation.adapters import adapter_json


def export_adapter(
    name: Name,
    adapter_id: AdapterId,
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
        data = exported(store_of(settings), named_target(name, profile), adapter_id)
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
        data, most = file.read_bytes(), settings.max_adapters
        adapter = imported(store_of(settings), data, manifest.adapted_dim, most, activate=activate)
    except (InkseekError, OSError) as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json(adapter_json(adapter))
    else:
        said = f"{adapter.target}: {adapter.adapter_id} (version {adapter.version}) is {adapter.state}"
        stdout().print(said, markup=False, highlight=False, soft_wrap=True)
