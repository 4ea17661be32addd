"""`inkseek serve`."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Annotated

import typer

from models.console import ExitCode, fail, stderr
from models.errors import InkseekError
from service.cli.options import BundleOption, IndexDir, OnlineDir, settings_of
from service.config import Settings
from service.environment import platform_variables
from service.runtime.logs import configure_logging
from service.server import run

_log = logging.getLogger("inkseek.service")


def serve(
    index: IndexDir = None,
    host: Annotated[
        str | None,
        typer.Option(help="Addresses to listen on, comma-separated; 0.0.0.0 for all, :: with IPv6. [127.0.0.1]"),
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one. [8000]")] = None,
    bundle: BundleOption = None,
    gallery_root: Annotated[
        str | None,
        typer.Option(help="Where the original photos lie, if not where indexed: a folder or a URL."),
    ] = None,
    galleries: Annotated[
        str | None,
        typer.Option(help="Further galleries: a folder of index directories, or NAME=DIRECTORY,NAME=DIRECTORY."),
    ] = None,
    online_dir: OnlineDir = None,
    milvus_uri: Annotated[
        str | None, typer.Option(help="Where the Milvus answers that has the index's vectors; its token in a variable.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes, each with its own encoder. [one per CPU]")] = None,
    require_gpu: Annotated[
        bool | None, typer.Option("--require-gpu", help="Fail rather than encode on the CPU.")
    ] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error. [info]")] = None,
) -> None:
    """Answer sketches over HTTP, and serve the page to draw on.

    Every setting can also be given as an INKSEEK_* environment variable; options go before them. A new version that
    `inkseek index build` publishes is taken into service without a restart.
    """
    settings = settings_of(
        False,
        index=index,
        host=host,
        port=port,
        bundle=bundle,
        gallery_root=gallery_root,
        galleries=galleries,
        online_dir=online_dir,
        milvus_uri=milvus_uri,
        workers=workers,
        require_gpu=require_gpu,
        log_level=log_level,
    )
    serve_with(settings)


def serve_with(settings: Settings, when_ready: Callable[[str], object] | None = None) -> None:
    """Serve until it is stopped, and say where; `when_ready` is called with that address, too. Ends the command."""
    configure_logging(settings.log_level, settings.log_format)
    for_machines = settings.log_format == "json"  # then every line is: a log of two formats is read by nobody

    def announce(address: str) -> None:
        if for_machines:
            _log.info("Draw at %s", address)
        else:
            said = f"[bold green]Draw at {address}[/bold green]  (Ctrl-C stops)"
            stderr().print(said, highlight=False, soft_wrap=True)
        if when_ready is not None:
            when_ready(address)

    if ignored := platform_variables(os.environ):
        _log.warning("%s: written by the platform for a service of that name, and ignored", ", ".join(ignored))
    try:
        run(settings, announce)
    except InkseekError as error:
        if not for_machines:
            fail(error)
        _log.critical("%s: %s", type(error).__name__, error)
        raise typer.Exit(ExitCode.FAILED) from error
