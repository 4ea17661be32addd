"""`inkseek bundle quantize`: see `models.export.precision.variants`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from models.bundle import bundle_path
from models.cli.options import (
    DEMO_GALLERY,
    BundleOption,
    GalleryOption,
    KindsOption,
    KindsSplitOption,
    bundle_name,
)
from models.cli.written import report_written, require_extra
from models.console import ExitCode, fail, stderr
from models.errors import InkseekError
from models.evaluation.splits import KindSearches

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]


def quantize_command(
    data: Annotated[Path, typer.Option(help="The folder of the data sets that the bundle was trained on.")],
    out: Annotated[Path, typer.Option(help="The variant's directory; a bundle that is there is replaced.")],
    bundle: BundleOption = None,
    precision: Annotated[str, typer.Option(help="int8, for CPUs; float16, for GPUs; float32 as before.")] = "int8",
    name: Annotated[
        str | None,
        typer.Option(
            parser=bundle_name, metavar="NAME", help="The variant's name; by default the parent's with the precision."
        ),
    ] = None,
    max_loss: Annotated[
        float, typer.Option(min=0.0, help="Points of acc@1 that it may lose, at the far end of the 95 % interval.")
    ] = 0.5,
    kinds: KindsOption = None,
    kinds_split: KindsSplitOption = None,
    gallery: GalleryOption = DEMO_GALLERY,
    pairs: Annotated[int, typer.Option(min=1, help="Training pairs to find the ranges of activations on.")] = 256,
    narrow: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            metavar="SHARE",
            help="Leave channels of the sketch encoder out, as long as no block errs by more than this share.",
        ),
    ] = None,
    storage: Annotated[
        str, typer.Option(help="How weights of a float32 variant lie in the files: half or byte.")
    ] = "half",
    as_json: AsJson = False,
) -> None:
    """Make a variant of a bundle in another precision, or with fewer channels; it has to pass its gate (else exit 3).

    The gate compares variant and parent query by query, on all validation
    queries pooled: the bundle's validation splits and, with --kinds,
    drawings in a mixed gallery.
    """
    require_extra(as_json)
    from models.export.gates import GateNotPassed
    from models.export.precision.variants import Precision, VariantRequest, make_variant
    from models.export.stored_weights import Storage

    # Checked here and not by typer, because the names are defined beside what needs the training extra.
    if precision not in list(Precision):
        raise typer.BadParameter(f"one of {', '.join(Precision)}", param_hint="--precision")
    if storage not in list(Storage):
        raise typer.BadParameter(f"one of {', '.join(Storage)}", param_hint="--storage")
    if precision == Precision.FLOAT32 and narrow is None:
        raise typer.BadParameter("in float32 nothing would change: say how far to --narrow", param_hint="--precision")
    searches = None if kinds is None else KindSearches(kinds, gallery, tuple(kinds_split or ("val",)))
    parent = bundle_path(bundle)
    request = VariantRequest(
        parent, data, out, Precision(precision), name, max_loss / 100, searches, pairs, narrow, Storage(storage)
    )
    try:
        manifest = make_variant(request, lambda line: stderr().print(line, highlight=False, soft_wrap=True))
    except GateNotPassed as error:
        fail(error, as_json=as_json, code=ExitCode.GATE_NOT_PASSED)
    except (InkseekError, OSError) as error:
        fail(error, as_json=as_json)
    report_written(manifest, out, as_json)
