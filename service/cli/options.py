"""Options that several commands have, and how they become settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.markup import escape

from models.bundle import bundle_path, read_manifest
from models.console import ExitCode, fail, stderr
from service.config import Settings, load_settings
from service.environment import ENV_PREFIX
from service.errors import UnknownSetting
from service.store.online_store import OnlineStore
from service.store.records import StoreLimits

IndexDir = Annotated[
    Path | None, typer.Option(help=f"The index directory (--out of `index build`); else {ENV_PREFIX}INDEX.")
]
BundleOption = Annotated[
    Path | None,
    typer.Option(
        parser=bundle_path,
        metavar="BUNDLE",
        help="A shipped bundle's name, such as small, or a bundle's directory; the default one when not given.",
    ),
]
OnlineDir = Annotated[
    Path | None, typer.Option(help="Where adapters and uploaded photos are kept; else `online` in the index directory.")
]
AdapterId = Annotated[str, typer.Argument(help="An adapter's id, as `list` shows it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]


def settings_of(as_json: bool, **options: Any) -> Settings:
    """The settings of a command: its options before `INKSEEK_*` variables. Ends the command when they are wrong."""
    try:
        return load_settings(**options)
    except UnknownSetting as error:
        fail(error, as_json=as_json, code=ExitCode.WRONG_USAGE)
    except ValidationError as error:
        for fault in error.errors():
            name = str(fault["loc"][0])
            how = (
                f"give --{name.replace('_', '-')} or {ENV_PREFIX}{name.upper()}"
                if fault["type"] == "missing"
                else fault["msg"]
            )
            stderr().print(f"[red]{name}:[/red] {escape(how)}", highlight=False, soft_wrap=True)
        raise typer.Exit(ExitCode.WRONG_USAGE) from error


def store_of(settings: Settings) -> OnlineStore:
    """The online store alone: adapters are activated and copied without encoder and index. Raises BundleError."""
    manifest = read_manifest(settings.bundle)
    limits = StoreLimits(settings.max_online_targets, settings.max_online_bytes)
    return OnlineStore(settings.online_folder, manifest.bundle_id, manifest.adapted_dim, limits)
