"""`inkseek search`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image
from rich.markup import escape
from rich.table import Table

from models.bundle import Focus, Frame
from models.console import fail, print_json, stdout
from models.errors import InkseekError
from service.cli.contact_sheet import Tile, contact_sheet
from service.cli.options import AsJson, BundleOption, IndexDir, OnlineDir, settings_of
from service.http.schemas.answers import search_json
from service.http.schemas.base import PhotoUrls
from service.http.schemas.search import K_MAX
from service.runtime.serving import open_retriever
from service.search.query import Mirror, SearchQuery
from service.search.results import SearchResult
from service.search.retriever import Retriever
from service.sketches.reading import read_sketch


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
    min_score: Annotated[float | None, typer.Option(min=-1.0, max=1.0, help="Leave out lower scores.")] = None,
    exact: Annotated[bool, typer.Option("--exact", help="Score every photo, not the index's candidates.")] = False,
    profile: Annotated[str | None, typer.Option(help="Whose way of drawing it is: a profile with adapters.")] = None,
    adapt: Annotated[bool, typer.Option("--adapt/--no-adapt", help="Apply the active adapters.")] = True,
    focus: Annotated[Focus | None, typer.Option(help="Compare by the kind of thing, by detail, or by both.")] = None,
    mirror: Annotated[
        Mirror, typer.Option(help="Look for the mirrored drawing, too; auto: where photos face one way.")
    ] = "auto",
    frame: Annotated[
        Frame,
        typer.Option(help="Crop and scale the drawing as strokes are; auto: where it is small or off the middle."),
    ] = "auto",
    group_duplicates: Annotated[
        bool, typer.Option("--group-duplicates", help="Show photos that look the same as one result.")
    ] = False,
    bundle: BundleOption = None,
    online_dir: OnlineDir = None,
    sheet: Annotated[Path | None, typer.Option(help="Write the answer as a picture, PNG or JPEG.")] = None,
    as_json: AsJson = False,
) -> None:
    """Find the photos most like a sketch, without a server.

    A line says so where probably no photo fits; the exit code is 0 then,
    too.
    """
    settings = settings_of(as_json, index=index, bundle=bundle, online_dir=online_dir)
    narrowing = k, tuple(category or ()), tuple(condition or ()), min_score, exact
    query = SearchQuery(*narrowing, adapt, profile, focus, mirror, frame, group_duplicates)
    try:
        data = sys.stdin.buffer.read() if str(sketch) == "-" else sketch.read_bytes()
        drawing = read_sketch(data, settings.stroke_limits)
        with open_retriever(settings) as retriever:
            result = retriever.search(drawing, query)
            if sheet:
                _write_sheet(sheet, retriever.view(drawing, frame), retriever, result)
    except (InkseekError, OSError) as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json(search_json(result, PhotoUrls()))
    else:
        stdout().print(_table(result), f"[dim]{_summary(result)}[/dim]")
        if result.no_good_match:
            stdout().print("[yellow]nothing fits well[/yellow]: probably no photo of this gallery is what was drawn")


def _write_sheet(path: Path, seen: Image.Image, retriever: Retriever, result: SearchResult) -> None:
    view = retriever.gallery().view
    tiles = [
        Tile(view.thumbnail(hit.photo.photo_id).jpeg, hit.photo.photo_id, f"{hit.rank}.  {hit.score:.3f}")
        for hit in result.photos
    ]
    try:
        contact_sheet(seen, tiles).save(path)
    except ValueError as error:  # Pillow's word for a suffix that it does not know
        raise OSError(f"cannot write {path}: {error}") from error


def _table(result: SearchResult) -> Table:
    table = Table("#", "score", "confidence", "category", "photo", "")
    for hit in result.photos:
        marks = ["mirrored"] if hit.mirrored else []
        marks += [f"+{len(hit.duplicates)} alike"] if hit.duplicates else []
        sure = "" if hit.confidence is None else f"{100 * hit.confidence:.0f} %"
        photo = escape(hit.photo.category), escape(hit.photo.photo_id)
        table.add_row(str(hit.rank), f"{hit.score:.3f}", sure, *photo, ", ".join(marks))
    return table


def _summary(result: SearchResult) -> str:
    applied = "".join(f", {adapter_id}" for adapter_id in (result.adapter_id, result.style_adapter_id) if adapter_id)
    return f"{result.timings_ms['total']:.0f} ms{applied}, bundle {result.bundle_id}, index {result.index_version}"
