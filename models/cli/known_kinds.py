"""`inkseek bundle known-kinds`: see `models.export.known_kinds`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from models.bundle import bundle_path
from models.cli.options import DEMO_GALLERY, BundleOption, GalleryOption, KindsSplitOption, bundle_name
from models.cli.written import report_written, require_extra
from models.console import ExitCode, fail, stderr
from models.errors import InkseekError
from models.evaluation.splits import KindSearches


def known_kinds_command(
    pack: Annotated[Path, typer.Option(help="The pack of the images that it was trained on: `inkseek train pack`.")],
    data: Annotated[Path, typer.Option(help="The folder of the data sets that the bundle was measured on.")],
    kinds: Annotated[
        Path, typer.Option(metavar="DIR", help="Drawings of kinds, quickdraw_strokes: what the weights are judged by.")
    ],
    out: Annotated[Path, typer.Option(help="The new bundle's directory; a bundle that is there is replaced.")],
    bundle: BundleOption = None,
    name: Annotated[
        str | None, typer.Option(parser=bundle_name, metavar="NAME", help="Its name; by default the parent's.")
    ] = None,
    kinds_split: KindsSplitOption = None,
    gallery: GalleryOption = DEMO_GALLERY,
    cache: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the pack is unpacked, some gigabytes; by default by OUT.")
    ] = None,
    max_loss: Annotated[
        float, typer.Option(min=0.0, help="Points of acc@1 that it may lose, at the far end of the 95 % interval.")
    ] = 0.5,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")] = False,
) -> None:
    """Make a bundle that weighs kind against layout by how well a sketch's kind is known.

    A drawing of a kind that was trained goes by its kind above all; one that
    is like nothing known goes by its layout as well, and photos of what is
    known stand back. The gate is that of `bundle quantize` (else exit 3). Fit
    its calibration afterwards: `bundle calibrate`.
    """
    require_extra(as_json)
    from models.export.gates import GateNotPassed
    from models.export.known_kinds.make import KnownKindsRequest, make_known_kinds

    request = KnownKindsRequest(
        parent=bundle_path(bundle),
        pack=pack,
        cache=cache or out.with_name(f"{out.name}-cache"),
        data=data,
        out=out,
        kinds=KindSearches(kinds, gallery, tuple(kinds_split or ("val",))),
        name=name,
        max_loss=max_loss / 100,
    )
    try:
        manifest = make_known_kinds(request, lambda line: stderr().print(line, highlight=False, soft_wrap=True))
    except GateNotPassed as error:
        fail(error, as_json=as_json, code=ExitCode.GATE_NOT_PASSED)
    except (InkseekError, OSError) as error:
        fail(error, as_json=as_json)
    report_written(manifest, out, as_json)
