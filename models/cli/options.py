"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from models.bundle import bundle_path

_HELP = "A bundle's name or directory; `default` when omitted."

BundleOption = Annotated[Path | None, typer.Option(parser=bundle_path, metavar="BUNDLE", help=_HELP)]
BundleArgument = Annotated[Path | None, typer.Argument(parser=bundle_path, metavar="[BUNDLE]", help=_HELP)]
