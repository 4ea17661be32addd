"""`inkseek train attention | plot | compare | directions`: the studies that `inkseek train` offers.

They need the training extra, whose packages take seconds to import: these commands import it when run.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from models.atomic_files import write_text
from models.bundle import bundle_path
from models.cli.options import BundleOption
from models.console import fail, stderr, stdout
from models.errors import InkseekError

app = typer.Typer()


class NothingToShow(InkseekError):
    """No pair of the data set can be drawn."""


@app.command()
def attention(
    data: Annotated[Path, typer.Option(metavar="DIR", help="The data set, as its download unpacks.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The pictures' folder, for inkseek evaluate --pictures.")],
    split: Annotated[str | None, typer.Option(help="Only this split.")] = None,
    format: Annotated[str, typer.Option(help="auto, or a format's name.")] = "auto",
    bundle: BundleOption = None,
    students: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A students.pt in the bundle's place: shows what a CLS reads.")
    ] = None,
    teacher: Annotated[Path | None, typer.Option(metavar="RUN", help="Show this run's teacher, too.")] = None,
    pairs: Annotated[int, typer.Option(min=1, max=24, help="How many pairs, of every category in turn.")] = 6,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other pairs.")] = 0,
) -> None:
    """Draw what students and teacher look at in a sketch and its photo."""
    from models.studies.attention.draw import AttentionRequest, draw_attention

    try:
        written = draw_attention(AttentionRequest(data, out, split, format, bundle, students, teacher, pairs, seed))
    except (InkseekError, OSError) as error:
        fail(error)
    if not written:
        fail(NothingToShow(f"{data} has no pair to draw: a sketch with ink and two photos of its category are needed"))
    stdout().print(f"{len(written)} pictures written to {out}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def plot(
    trained: Annotated[list[Path], typer.Argument(parser=bundle_path, metavar="RUN|BUNDLE...")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The picture, an .svg file.")],
) -> None:
    """Draw acc@1, and how fast it is reached, over the encoders' size."""
    from models.studies.size_plot import size_plot

    if out.suffix.lower() != ".svg":
        raise typer.BadParameter(f"{out.name} should end in .svg", param_hint="--out")
    try:
        drawn = size_plot(trained)
        out.parent.mkdir(parents=True, exist_ok=True)
        write_text(out, drawn)
    except (InkseekError, OSError) as error:
        fail(error)


@app.command()
def compare(
    config: Annotated[Path, typer.Option(help="A comparison, such as models/configs/adaptation_comparison.toml.")],
    data: Annotated[Path, typer.Option(help="The folder of the data sets that the comparison names.")],
    out: Annotated[Path, typer.Option(help="The results' folder; what was encoded and learned there is used again.")],
    bundle: BundleOption = None,
    adaptation: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An .npz file in place of the bundle's own adaptation.")
    ] = None,
    fold: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A students.pt, as for `train adapt`; repeat it. Without: the tests alone."),
    ] = None,
    embeddings: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A cache of embeddings, such as RUN/embeddings of `train adapt`.")
    ] = None,
    halves: Annotated[
        bool, typer.Option(help="In place of folds: learn from one half of the test categories, test on the other.")
    ] = False,
) -> None:
    """Compare few-shot methods and ablations over the same episodes: JSON, Markdown and an HTML page."""
    from models.studies.few_shot_comparison.compare import ComparisonRun
    from models.studies.few_shot_comparison.compare import compare as run_comparison
    from models.studies.few_shot_comparison.variant import ComparisonConfig

    if halves and fold:
        raise typer.BadParameter("halves are in the place of folds", param_hint="--halves")
    try:
        loaded = ComparisonConfig.load(config)
        run = ComparisonRun(loaded, data, out, bundle, adaptation, tuple(fold or ()), embeddings, halves)
        run_comparison(run, _log)
    except (InkseekError, OSError) as error:
        fail(error)
    stdout().print(f"comparison.json, .md and .html written to {out}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def directions(
    data: Annotated[Path, typer.Option(metavar="DIR", help="The data set, as its download unpacks.")],
    out: Annotated[Path, typer.Option(help="The results' folder; what was encoded there is used again.")],
    split: Annotated[str, typer.Option(help="The split whose categories are adapted to.")] = "val_unseen",
    bundle: BundleOption = None,
    draws: Annotated[int, typer.Option(min=1, help="Draws of examples for each category.")] = 50,
    seed: Annotated[int, typer.Option(min=0, help="Of the draws and the bootstrap.")] = 0,
) -> None:
    """Compare what could make adaptation worth more: drawings made of photos, deeper layers, weights, all pairs."""
    from models.studies.adaptation_directions.study import StudyRun, study

    try:
        study(StudyRun(data, split, out, bundle, draws=draws, seed=seed), _log)
    except (InkseekError, OSError) as error:
        fail(error)
    stdout().print(
        f"study.json, study.md and adaptation.npz written to {out}", markup=False, highlight=False, soft_wrap=True
    )


def _log(line: str) -> None:
    stderr().print(f"{datetime.now(UTC):%H:%M:%S} {line}", markup=False, highlight=False, soft_wrap=True)
