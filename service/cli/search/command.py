"""`inkseek search`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image

from models.bundle import Focus, Frame
from models.console import fail, print_json, stdout
from models.errors import InkseekError
from service.cli.options import AsJson, BundleOption, IndexDir, OnlineDir, settings_of
from service.cli.search.answer_table import answer_summary, answer_table
from service.cli.search.contact_sheet import Tile, contact_sheet
from service.cli.search.local import open_local
from service.cli.search.remote import open_remote
from service.cli.search.searched import Searched
from service.http.schemas.answers import SearchAnswer
from service.http.schemas.search import K_MAX
from service.search.query import Mirror, SearchQuery


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
    text: Annotated[
        str,
        typer.Option(help="Only photos with these words in their ids, categories or metadata, such as 'red mug'."),
    ] = "",
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
        typer.Option(help="Crop and scale the drawing as strokes are; auto: where size and place say nothing."),
    ] = "auto",
    group_duplicates: Annotated[
        bool, typer.Option("--group-duplicates", help="Show photos that look the same as one result.")
    ] = False,
    url: Annotated[str | None, typer.Option(help="Search a running service instead (extra client).")] = None,
    key: Annotated[str | None, typer.Option(help="With --url: an API key, or @FILE for a file that holds one.")] = None,
    gallery: Annotated[str | None, typer.Option(help="With --url: one of the service's further galleries.")] = None,
    bundle: BundleOption = None,
    online_dir: OnlineDir = None,
    sheet: Annotated[Path | None, typer.Option(help="Write the answer as a picture, PNG or JPEG.")] = None,
    as_json: AsJson = False,
) -> None:
    """Find the photos most like a sketch: in an index, without a server, or with --url in a service.

    A line says so where probably no photo fits; the exit code is 0 then,
    too.
    """
    if url is None and (key or gallery):
        raise typer.BadParameter("--key and --gallery go with --url")
    if url is not None and (index or bundle or online_dir):
        raise typer.BadParameter("--index, --bundle and --online-dir are the service's own where --url is given")
    narrowing = k, tuple(category or ()), tuple(condition or ()), min_score, exact
    query = SearchQuery(*narrowing, adapt, profile, focus, mirror, frame, group_duplicates, text=text)
    if url is None:
        settings = settings_of(as_json, index=index, bundle=bundle, online_dir=online_dir)
    try:
        data = sys.stdin.buffer.read() if str(sketch) == "-" else sketch.read_bytes()
        with open_local(settings) if url is None else open_remote(url, _key(key), gallery) as searched:
            document = searched.search(data, query)
            answer = SearchAnswer.model_validate(document)
            if sheet:
                _write_sheet(sheet, searched.view(data, query), searched, answer)
    except (InkseekError, OSError) as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json(document)
    else:
        stdout().print(answer_table(answer), f"[dim]{answer_summary(answer)}[/dim]")
        if answer.no_good_match:
            stdout().print("[yellow]nothing fits well[/yellow]: probably no photo of this gallery is what was drawn")


def _key(given: str | None) -> str | None:
    """The key itself: other users of a machine can read the arguments of a command. Raises OSError."""
    return Path(given[1:]).read_text(encoding="utf-8").strip() if given and given.startswith("@") else given


def _write_sheet(path: Path, seen: Image.Image, searched: Searched, answer: SearchAnswer) -> None:
    tiles = [
        Tile(searched.thumbnail(hit.photo_id), hit.photo_id, f"{hit.rank}.  {hit.score:.3f}") for hit in answer.results
    ]
    try:
        contact_sheet(seen, tiles).save(path)
    except ValueError as error:  # Pillow's word for a suffix that it does not know
        raise OSError(f"cannot write {path}: {error}") from error
