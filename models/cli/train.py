"""`inkseek train teacher | students | pack | adapt | blend | baseline | ablation`, and the commands of `cli.studies`.

Torch takes seconds to import and is an extra, so it is imported by the commands and not by the command line that offers
them beside those that need none.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from models.bundle import bundle_path, cpu_quota
from models.cli.options import BundleOption, config_path
from models.cli.studies import app as studies_app
from models.console import fail, print_json
from models.errors import InkseekError

app = typer.Typer(no_args_is_help=True)
app.add_typer(studies_app)


class TorchMissing(InkseekError):
    """The training extra is not installed."""


Config = Annotated[
    Path, typer.Option(parser=config_path, metavar="NAME|FILE", help="An experiment: one of models/configs, or a file.")
]
Data = Annotated[Path, typer.Option(help="The folder that the experiment's data sets lie in.")]
Out = Annotated[Path, typer.Option(help="The run's directory; an unfinished run resumes.")]
Changes = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change a value, as a line of TOML.")
]
Processes = Annotated[int, typer.Option(min=1, help="Training processes: one a GPU, or one a core.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads of each; by default the cores are shared out.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Workers = Annotated[int, typer.Option(min=0, help="Threads that prepare batches ahead, for a GPU.")]
Cache = Annotated[Path | None, typer.Option(help="Where runs share decoded images; by default below --out.")]
SkipFlawed = Annotated[
    bool, typer.Option("--skip-flawed", help="Leave out images that cannot be used; else all are named, and it ends.")
]


@app.callback()
def train() -> None:
    """Train the teacher, distil the students, adapt to categories; studies of what training does."""
    if importlib.util.find_spec("torch") is None:
        advice = "pip install --editable '.[train]' in a checkout"
        fail(TorchMissing(f"training needs torch, which serving does not: {advice}"))


@app.command()
def teacher(
    config: Config,
    data: Data,
    out: Out,
    changes: Changes = None,
    processes: Processes = 1,
    threads: Threads = None,
    device: Device = "auto",
    workers: Workers = 0,
    cache: Cache = None,
    skip_flawed: SkipFlawed = False,
) -> None:
    """Train the fused teacher, which sees sketch and photo."""
    from models.training.pairs.run import PairRun, Resources
    from models.training.recipes.table import read_recipe, train_teacher_of

    try:
        resources = Resources(data, processes, threads or _share(processes), device, workers, cache, skip_flawed)
        resources.require()
        train_teacher_of(PairRun(read_recipe(config, changes or ()), resources, out))
    except (InkseekError, OSError) as error:
        fail(error)


@app.command()
def students(
    config: Config,
    data: Data,
    out: Out,
    teacher: Annotated[
        Path | None,
        typer.Option(
            parser=bundle_path,
            metavar="RUN|FILE|BUNDLE",
            help="A teacher's run; or larger students.",
        ),
    ] = None,
    start: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Begin with these students' weights; they may see another size.")
    ] = None,
    keep: Annotated[
        list[int] | None, typer.Option(metavar="STEP", help="Write this step's students to kept/STEP; repeatable.")
    ] = None,
    changes: Changes = None,
    processes: Processes = 1,
    threads: Threads = None,
    device: Device = "auto",
    workers: Workers = 0,
    cache: Cache = None,
    skip_flawed: SkipFlawed = False,
) -> None:
    """Train sketch and photo student, from a teacher where the experiment's losses need one."""
    from models.training.pairs.run import PairRun, Resources
    from models.training.recipes.table import read_recipe, train_students_of

    try:
        experiment = read_recipe(config, changes or ())
        resources = Resources(data, processes, threads or _share(processes), device, workers, cache, skip_flawed)
        resources.require()
        train_students_of(PairRun(experiment, resources, out, teacher, keep=tuple(keep or ()), start=start))
    except (InkseekError, OSError) as error:
        fail(error)


@app.command()
def pack(
    config: Config,
    data: Data,
    out: Annotated[Path, typer.Option(help="Where to write the pack, which `train students` takes as --data.")],
    max_mb: Annotated[int, typer.Option(min=1, help="Megabytes that all its files may take together.")] = 60,
    also_for: Annotated[
        list[Path] | None,
        typer.Option(
            parser=config_path, metavar="NAME|FILE", help="A further experiment to train on the pack; repeatable."
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Put the published weights that these experiments need there as well."),
    ] = None,
    changes: Changes = None,
    cache: Cache = None,
    skip_flawed: SkipFlawed = False,
) -> None:
    """Pack the images of an experiment of two parts, to train on a machine without the data sets."""
    from models.training.pairs.run import PairRun, Resources
    from models.training.recipes.parts.config import PartsConfig
    from models.training.recipes.parts.pack import PackJob, write_training_pack

    try:
        experiment = PartsConfig.load(config, changes or ())
        run = PairRun(
            experiment, Resources(data, cache=cache or out.with_name(f"{out.name}-cache"), skip_flawed=skip_flawed), out
        )
        others = tuple(PartsConfig.load(each) for each in also_for or ())
        packing = write_training_pack(PackJob(run, max_mb * 1_000_000, others, weights))
        print_json({"quality": packing.quality, "bytes": packing.bytes})
    except (InkseekError, OSError) as error:
        fail(error)


@app.command()
def ablation(
    config: Config,
    data: Data,
    out: Out,
    arm: Annotated[list[str] | None, typer.Option(help="Only this arm; repeatable.")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Only this seed; repeatable.")] = None,
    processes: Processes = 1,
    threads: Threads = None,
    device: Device = "auto",
    workers: Workers = 0,
    cache: Cache = None,
    skip_flawed: SkipFlawed = False,
) -> None:
    """Train every arm of an ablation and write their figures as a table."""
    from models.studies.ablation import run_ablation
    from models.training.pairs.run import Resources

    try:
        resources = Resources(data, processes, threads or _share(processes), device, workers, cache, skip_flawed)
        resources.require()
        run_ablation(config, resources, out, arm or (), seed or ())
    except (InkseekError, OSError) as error:
        fail(error)


@app.command()
def adapt(
    config: Config,
    data: Data,
    out: Out,
    bundle: BundleOption = None,
    fold: Annotated[
        list[Path] | None,
        typer.Option(help="Students trained without every n-th category; repeat it n times, in order."),
    ] = None,
    changes: Changes = None,
) -> None:
    """Meta-train what adapts a bundle to a category from a few examples: writes adaptation.npz."""
    from models.training.recipes.adaptive.config import AdaptConfig
    from models.training.recipes.adaptive.train_adapt import AdaptRun, train_adapt

    try:
        train_adapt(AdaptRun(AdaptConfig.load(config, changes or ()), data, bundle, tuple(fold or ()), out))
    except (InkseekError, OSError) as error:
        fail(error)


@app.command()
def blend(
    students: Annotated[Path, typer.Option(metavar="FILE", help="The students.pt of the end of a run.")],
    early: Annotated[Path, typer.Option(metavar="FILE", help="The students.pt of an earlier step: kept/STEP.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write the averaged students.pt.")],
    early_share: Annotated[float, typer.Option(min=0, max=1, help="Weight of the earlier step.")] = 0.3,
    pretrained_share: Annotated[float, typer.Option(min=0, max=1, help="Weight of ImageNet, in the trunks.")] = 0.2,
    weights: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keeps downloaded weights; by default beside --students.")
    ] = None,
) -> None:
    """Average the students of one run: its end, an earlier step, and ImageNet."""
    from models.training.weights.blend import Blend

    pretrained = weights or students.parent / "pretrained"
    try:
        Blend(students, early, pretrained, early_share, pretrained_share).run().save(out)
    except (InkseekError, OSError) as error:
        fail(error)


@app.command()
def average(
    students: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="The students.pt of two or more runs that began alike.")
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write the averaged students.pt.")],
) -> None:
    """Average the students of several runs that started from the same weights, such as runs of other seeds."""
    from models.training.weights.blend import average as averaged

    if len(students) < 2:
        raise typer.BadParameter("give two files or more", param_hint="FILE...")
    try:
        averaged(students).save(out)
    except (InkseekError, OSError) as error:
        fail(error)


@app.command()
def baseline(
    data: Data,
    weights: Annotated[Path | None, typer.Option(metavar="DIR", help="Keeps downloaded weights between runs.")] = None,
) -> None:
    """Print the figures of ImageNet features on the students' grid, with nothing learned, as JSON."""
    from models.studies.untrained import imagenet_figures

    try:
        print_json(imagenet_figures(data, weights))
    except (InkseekError, OSError) as error:
        fail(error)


def _share(processes: int) -> int:
    # The quota, since a container may be allowed fewer cores than the machine has.
    return max(1, cpu_quota() // processes)
