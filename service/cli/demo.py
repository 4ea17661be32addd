"""`inkseek demo`: the demo gallery, indexed and served by an installed package."""

from __future__ import annotations

import os
import webbrowser
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from models.console import fail
from models.errors import InkseekError
from service.cli.options import BundleOption, settings_of
from service.cli.serve import serve_with
from service.errors import DemoNotInstalled

Indexing: TypeAlias = Callable[[Path, Path, Path | None], None]
"""Brings an index up to date: the manifest of the photos, the index directory, the bundle (None: the default one)."""

_PACKAGE = "inkseek_demo"
_MANIFEST = "manifest.csv"


def demo_command(bring_up_to_date: Indexing) -> Callable[..., None]:
    """The command; what indexes is handed in, since services know nothing of builds."""

    def demo(
        host: Annotated[str | None, typer.Option(help="Address to listen on. [127.0.0.1]")] = None,
        port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one. [8000]")] = None,
        open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
        photos: Annotated[
            Path | None, typer.Option(help="Another gallery: a manifest. The package inkseek-demo's when omitted.")
        ] = None,
        index: Annotated[
            Path | None,
            typer.Option(help="Where its index is kept; else inkseek/demo-index in the user data folder."),
        ] = None,
        bundle: BundleOption = None,
    ) -> None:
        """Index the demo gallery where that has not been done, and serve the page to draw on.

        The first start embeds every picture, later ones what has changed. The index lies in
        $XDG_DATA_HOME/inkseek/demo-index, by default below ~/.local/share.
        """
        try:
            gallery = photos or demo_gallery()
        except InkseekError as error:
            fail(error)
        kept_at = index or data_folder(os.environ, Path.home()) / "demo-index"
        # An installation that has moved finds its photos all the same.
        settings = settings_of(
            False, index=kept_at, host=host, port=port, bundle=bundle, gallery_root=gallery.resolve().parent
        )
        try:
            bring_up_to_date(gallery.resolve(), kept_at, settings.bundle)
        except InkseekError as error:
            fail(error)
        serve_with(settings, when_ready=webbrowser.open if open_page else None)

    return demo


def demo_gallery() -> Path:
    """The manifest that the package inkseek-demo brings. Raises DemoNotInstalled."""
    try:
        folder = resources.files(_PACKAGE)
    except ModuleNotFoundError as error:
        raise DemoNotInstalled(
            "the demo gallery is a package of its own, inkseek-demo, whose wheel `make wheels` builds; "
            "to serve another gallery, or that of a checkout: --photos examples/manifest.csv"
        ) from error
    return Path(str(folder / _MANIFEST))


def data_folder(environment: Mapping[str, str], home: Path) -> Path:
    """Inkseek's folder for what belongs to a user, by the XDG Base Directory Specification."""
    chosen = Path(environment.get("XDG_DATA_HOME", ""))
    # The specification has relative paths ignored.
    return (chosen if chosen.is_absolute() else home / ".local" / "share") / "inkseek"
