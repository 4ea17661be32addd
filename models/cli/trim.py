"""`inkseek bundle trim`: have a bundle cut photos to what stands on a plain ground, or show them whole again."""

from __future__ import annotations

from typing import Annotated

import typer

from models.bundle import bundle_path, set_trimming
from models.cli.options import BundleArgument
from models.console import fail, print_json, stdout
from models.errors import InkseekError


def trim_command(
    path: BundleArgument = None,
    off: Annotated[bool, typer.Option("--off", help="Show photos whole again.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a line.")] = False,
) -> None:
    """Have a bundle cut photos on a plain ground to what stands on it, in searches to come.

    Weights stay, and so do figures and calibration, which were measured on
    whole photos. The bundle gets another id: build its indexes again.
    """
    try:
        manifest = set_trimming(bundle_path(path), trim=not off)
    except (InkseekError, OSError) as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json({"bundle_id": manifest.bundle_id, "trim": manifest.photo.preprocess.trim})
    else:
        stdout().print(manifest.bundle_id, markup=False, highlight=False, soft_wrap=True)
