"""`inkseek bundle calibrate`: what a bundle's scores mean, fitted to its validation splits."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from models.atomic_files import write_text
from models.bundle import Bundle, Runtime, add_calibration, bundle_path
from models.cli.options import DEMO_GALLERY, BundleOption, GalleryOption, KindsOption, KindsSplitOption
from models.cli.progress import encoding_progress
from models.console import fail, print_json, stdout
from models.data.builders.scribbles import scribbles as draw_nothing
from models.errors import InkseekError
from models.evaluation.calibration.calibrate import CalibrationResult, calibrate
from models.evaluation.report.calibration import calibration_page
from models.evaluation.splits import KindSearches, load_galleries, load_kinds, validation_splits


def calibrate_command(
    data: Annotated[Path, typer.Option(help="The folder of the data sets that the bundle is validated on.")],
    bundle: BundleOption = None,
    kinds: KindsOption = None,
    kinds_split: KindsSplitOption = None,
    gallery: GalleryOption = DEMO_GALLERY,
    scribbles: Annotated[
        int, typer.Option(min=0, help="With --kinds: drawings of nothing that are searched for there, too.")
    ] = 300,
    into: Annotated[
        list[Path] | None,
        typer.Option(
            parser=bundle_path,
            metavar="BUNDLE",
            help="Write it into this bundle instead, such as one trained on these very splits or a variant; may be "
            "repeated.",
        ),
    ] = None,
    report: Annotated[Path | None, typer.Option(metavar="FILE", help="Write an HTML page with the diagrams.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")] = False,
) -> None:
    """Fit what a bundle's scores mean, and write it into the bundle.

    Answers then have a `confidence` and say where nothing fits well.
    The bundle must not have been trained on the splits: scores of what it
    was trained on are too good. The figures are cross-fitted.
    """
    if report is not None and report.suffix.lower() not in (".html", ".htm"):
        raise typer.BadParameter(f"{report.name} should end in .html", param_hint="--report")
    try:
        encoders = Bundle.load(bundle, Runtime(threads=1))  # batches are encoded by threads of their own
        galleries = load_galleries(data, validation_splits(encoders.manifest))
        tasks = {}
        if kinds is not None:
            tasks = load_kinds(KindSearches(kinds, gallery, tuple(kinds_split or ("val",))))
        nothing = draw_nothing(scribbles) if tasks else ()
        images = sum(2 * len(part.queries) + len(part.photos) for parts in galleries.values() for part in parts)
        with encoding_progress() as progress:
            encoding = progress.add_task(
                "encoding", total=images + sum(task.image_count for task in tasks.values()) + len(nothing)
            )
            advance = partial(progress.advance, encoding)
            result = calibrate(encoders, galleries, tasks, nothing, advance)
        for target in into or [encoders.path]:
            add_calibration(target, result.calibration)
        if report is not None:
            report.parent.mkdir(parents=True, exist_ok=True)
            write_text(report, calibration_page(encoders.bundle_id, result, datetime.now(UTC)))
    except (InkseekError, OSError) as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json(result.calibration.model_dump(mode="json"))
    else:
        stdout().print(_table(encoders.bundle_id, result))


def _table(bundle_id: str, result: CalibrationResult) -> Table:
    columns = (
        "search",
        "split",
        "searches",
        "right first",
        "error before",
        "error",
        "false alarms",
        "misses",
        "> 0.5",
        "AUC",
    )
    table = Table(*columns, title=bundle_id, caption="cross-fitted; per cent but the AUC")
    for name, fitted in result.fitted.items():
        for split, figures in fitted.calibration.metrics["cross_fitted"].items():
            if isinstance(figures, dict):
                shares = ("right", "error_before", "error", "false_alarms", "misses", "confident")
                cells = [f"{100 * figures[key]:.1f}" if key in figures else "" for key in shares]
                auc = f"{figures['auc']:.2f}" if "auc" in figures else ""
                table.add_row(name, split, f"{figures['searches']:,.0f}", *cells, auc)
    return table
