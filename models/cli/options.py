"""Options that several commands share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from models.bundle import bundle_path

_CONFIGS = Path(__file__).resolve().parents[1] / "configs"

_HELP = "A bundle's name or directory; `default` when omitted."

BundleOption = Annotated[Path | None, typer.Option(parser=bundle_path, metavar="BUNDLE", help=_HELP)]
BundleArgument = Annotated[Path | None, typer.Argument(parser=bundle_path, metavar="[BUNDLE]", help=_HELP)]

DEMO_GALLERY = Path("examples/gallery/manifest.csv")
"""The mixed gallery of a checkout, which is where commands find it."""

GalleryOption = Annotated[
    Path,
    typer.Option(
        metavar="MANIFEST",
        help="The mixed gallery: a CSV manifest, its column `name` says what a photo shows. The demo gallery when "
        "omitted.",
    ),
]
KindsOption = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Drawings by kind, such as Quick, Draw!'s, to search for in the mixed gallery."),
]
KindsSplitOption = Annotated[
    list[str] | None, typer.Option(help="With --kinds: the split of its kinds, `val` when omitted; may be repeated.")
]


def bundle_name(text: str) -> str:
    """The text where it can name a bundle. Raises typer.BadParameter."""
    if re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", text) is None:
        raise typer.BadParameter(f"{text!r} is no name: small letters, digits, '.', '_', '-', 64 at most")
    return text


def shipped_configs() -> tuple[str, ...]:
    """Names of the experiment files that ship with the package, in alphabetical order."""
    return tuple(sorted(path.stem for path in _CONFIGS.glob("*.toml")))


def config_path(name_or_path: str | Path) -> Path:
    """Where an experiment file lies: text that names a shipped one is that one, other text is a path.

    Raises typer.BadParameter where there is no such file.
    """
    if isinstance(name_or_path, str) and name_or_path in shipped_configs():
        return _CONFIGS / f"{name_or_path}.toml"
    path = Path(name_or_path)
    if not path.is_file():
        raise typer.BadParameter(f"no file {path}; experiments found by their name are {', '.join(shipped_configs())}")
    return path
