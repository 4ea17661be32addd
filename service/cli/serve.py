"""`inkseek serve` and `inkseek search`.

Exit codes: 0 done, 1 refused or failed (the message says why), 2 wrong usage or settings.
With --json, stdout holds one JSON document, an error included.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.errors import InkseekError
from service.cli.contact_sheet import Tile, contact_sheet
from service.config import ENV_PREFIX, Settings, load_settings
from service.errors import UnknownSetting
from service.http.answers import search_answer
from service.http.body import Source, source_from_bytes
from service.http.schemas.search import K_MAX
from service.runtime.serving import load_bundle, load_retriever
from service.search.query import SearchQuery
from service.search.retriever import Found, Retriever

FAILED, WRONG_USAGE = 1, 2

IndexDir = Annotated[
    Path | None, typer.Option(help=f"The index directory (--out of `index build`); else {ENV_PREFIX}INDEX.")
]
BundleDir = Annotated[Path | None, typer.Option(help="The bundle's directory; the shipped one when not given.")]
GalleryRoot = Annotated[
    Path | None, typer.Option(help="Where the original photos lie, if not where they were indexed.")
]
OnlineDir = Annotated[
    Path | None, typer.Option(help="Where adapters and uploaded photos are kept; else `online` in the index directory.")
]
RequireGpu = Annotated[bool | None, typer.Option("--require-gpu", help="Fail rather than encode on the CPU.")]


def serve(
    index: IndexDir = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; 0.0.0.0 for all. [127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one. [8000]")] = None,
    bundle: BundleDir = None,
    gallery_root: GalleryRoot = None,
    online_dir: OnlineDir = None,
    workers: Annotated[int | None, typer.Option(help="Processes, each with its own encoder and index. [1]")] = None,
    require_gpu: RequireGpu = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error. [info]")] = None,
) -> None:
    """Answer sketches over HTTP, and serve the page to draw on.

    Every setting can also be given as an INKSEEK_* environment variable; options go before them. A new version that
    `inkseek index build` publishes is taken into service without a restart.
    """
    from service.server import run  # `search` needs no web server

    settings = settings_of(
        False,
        index=index,
        host=host,
        port=port,
        bundle=bundle,
        gallery_root=gallery_root,
        online_dir=online_dir,
        workers=workers,
        require_gpu=require_gpu,
        log_level=log_level,
    )
    out = Console(stderr=True)

    def announce(address: str) -> None:
        out.print(f"[bold green]Draw at {address}[/bold green]  (Ctrl-C stops)", highlight=False, soft_wrap=True)

    try:
        run(settings, announce)
    except InkseekError as error:
        refuse(error, as_json=False)


def search(
    sketch: Annotated[
        Path, typer.Argument(help="An image, an SVG, or a JSON file with strokes; - for standard input.")
    ],
    index: IndexDir = None,
    k: Annotated[int, typer.Option("-k", min=1, max=K_MAX, help="How many photos.")] = 10,
    category: Annotated[list[str] | None, typer.Option(help="Only photos of this category; may be repeated.")] = None,
    condition: Annotated[
        list[str] | None,
        typer.Option("--filter", help="Condition on metadata, such as artist=openmoji; may be repeated."),
    ] = None,
    min_score: Annotated[float | None, typer.Option(min=-1.0, max=1.0, help="Leave out lower cosines.")] = None,
    exact: Annotated[bool, typer.Option("--exact", help="Score every photo instead of asking the index.")] = False,
    profile: Annotated[str | None, typer.Option(help="Who drew it: a drawing style that was taught.")] = None,
    adapt: Annotated[bool, typer.Option("--adapt/--no-adapt", help="Use what was taught.")] = True,
    bundle: BundleDir = None,
    online_dir: OnlineDir = None,
    sheet: Annotated[Path | None, typer.Option(help="Write the answer as a picture, PNG or JPEG.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Find the photos most like a sketch, without a server."""
    settings = settings_of(as_json, index=index, bundle=bundle, online_dir=online_dir)
    query = SearchQuery(k, tuple(category or ()), tuple(condition or ()), min_score, exact, adapt, profile)
    try:
        data = sys.stdin.buffer.read() if str(sketch) == "-" else sketch.read_bytes()
        source = source_from_bytes(data)
        retriever = load_retriever(settings, load_bundle(settings))
        found = retriever.search(lambda: source, query)
        if sheet:
            _write_sheet(sheet, retriever, source, found)
    except (InkseekError, OSError) as error:
        refuse(error, as_json)
    if as_json:
        print_json(search_answer(found))
    else:
        Console().print(_table(found), f"[dim]{_summary(found)}[/dim]")


def settings_of(as_json: bool, **options: Any) -> Settings:
    """The settings of a command: its options before `INKSEEK_*` variables. Ends the command when they are wrong."""
    try:
        return load_settings(**options)
    except UnknownSetting as error:
        refuse(error, as_json, WRONG_USAGE)
    except ValidationError as error:
        for fault in error.errors():
            name = str(fault["loc"][0])
            how = (
                f"give --{name.replace('_', '-')} or {ENV_PREFIX}{name.upper()}"
                if fault["type"] == "missing"
                else fault["msg"]
            )
            Console(stderr=True).print(f"[red]{name}:[/red] {escape(how)}", highlight=False, soft_wrap=True)
        raise typer.Exit(WRONG_USAGE) from error


def _write_sheet(path: Path, retriever: Retriever, source: Source, found: Found) -> None:
    tiles = [
        Tile(
            retriever.gallery().view.thumbnail(hit.photo.photo_id).jpeg,
            hit.photo.photo_id,
            f"{hit.rank}.  {hit.score:.3f}",
        )
        for hit in found.photos
    ]
    try:
        contact_sheet(retriever.view(source), tiles).save(path)
    except ValueError as error:  # Pillow's word for a suffix that it does not know
        raise OSError(f"cannot write {path}: {error}") from error


def _table(found: Found) -> Table:
    table = Table("#", "score", "category", "photo")
    for hit in found.photos:
        table.add_row(str(hit.rank), f"{hit.score:.3f}", escape(hit.photo.category), escape(hit.photo.photo_id))
    return table


def _summary(found: Found) -> str:
    adapters = "".join(
        f", adapter {adapter_id}" for adapter_id in (found.adapter_id, found.style_adapter_id) if adapter_id
    )
    return f"{found.timings_ms['total']:.0f} ms{adapters}, bundle {found.bundle_id}, index {found.index_version}"


def print_json(document: Any) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def refuse(error: Exception, as_json: bool, code: int = FAILED) -> NoReturn:
    """Say what was wrong, and end the command."""
    if as_json:
        sys.stdout.write(json.dumps({"error": type(error).__name__, "detail": str(error)}) + "\n")
    else:
        Console(stderr=True).print(
            f"[red]{type(error).__name__}:[/red] {escape(str(error))}", highlight=False, soft_wrap=True
        )
    raise typer.Exit(code)
