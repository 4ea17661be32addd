"""What a larger encoder buys: acc@1, and how fast it is reached, over its size, as XModalViT's poster has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.bundle import read_manifest
from models.errors import InkseekError
from models.evaluation.report.axes import Axis
from models.evaluation.report.charts import Chart, Point, Series, charts_svg
from models.training.engine.run_directory import RunDirectory
from models.training.weights.students_file import build_students

_NEAR = 0.95
_CENTRED = "/centred"


class NothingToPlot(InkseekError):
    """A path is neither a students' run nor a bundle, has no figures, or shares no split with the others."""


@dataclass(frozen=True)
class Trained:
    """Students of a run or a bundle. `parameters`: of the sketch encoder, in millions.

    `figures`: acc@1 by split in percent, of the weights that were published. `curve`: the same at each step that was
    evaluated; none of a bundle. `centred`: mean-centred within the category, as the service scores; else plain cosines.
    """

    name: str
    parameters: float
    figures: Mapping[str, float]
    curve: Sequence[tuple[int, Mapping[str, float]]]
    centred: bool

    def means(self, splits: Sequence[str]) -> list[tuple[int, float]]:
        """The curve of the mean over these splits."""
        return [(step, sum(figures[name] for name in splits) / len(splits)) for step, figures in self.curve]


def size_plot(paths: Sequence[Path]) -> str:
    """Run directories and bundles -> SVG. Raises NothingToPlot, CheckpointInvalid, BundleError.

    The figures are mean-centred ones where each has those, else plain ones of all. Splits that not all
    have are left out.
    """
    # One kind of figure for all: a centred one beside a plain one would show the scoring, not the size.
    for centred in (True, False):
        trained = [each for path in paths if (each := _read(path, centred)) is not None]
        if len(trained) == len(paths):
            return _drawn(trained)
    raise NothingToPlot("one of these has no figures: a run of students that was evaluated or a bundle is needed")


def _read(path: Path, centred: bool) -> Trained | None:
    if (path / "manifest.json").is_file():
        return _read_bundle(path, centred)
    if (path / "config.json").is_file():
        return _read_run(path, centred)
    raise NothingToPlot(f"{path} is neither a run's directory nor a bundle")


def _read_run(path: Path, centred: bool) -> Trained | None:
    run = RunDirectory(path)
    experiment = run.config()
    if experiment.get("task") != "students":
        raise NothingToPlot(f"{path} is a run of the {experiment.get('task')}: its figures are no retrieval figures")
    entries = [(entry, _first(entry, centred)) for entry in run.entries() if "score" in entry]
    if not entries or not all(figures for _, figures in entries):
        return None
    _, best = max(entries, key=lambda pair: pair[0]["score"])  # the first of equals, as is published
    curve = [(int(entry["step"]), figures) for entry, figures in entries]
    return Trained(path.name, _millions(experiment), best, curve, centred)


def _read_bundle(path: Path, centred: bool) -> Trained | None:
    manifest = read_manifest(path)
    figures = {}
    for name, measured in manifest.metrics.get("splits", {}).items():
        figure = measured.get("centred", {}).get("acc_at_1") if centred else measured.get("acc_at_1")
        if figure is not None:
            figures[name] = 100 * float(figure)
    experiment = manifest.provenance.get("experiment") or {}
    return Trained(manifest.bundle_id, _millions(experiment), figures, (), centred) if figures else None


def _first(entry: Mapping[str, float], centred: bool) -> dict[str, float]:
    ending = f"{_CENTRED}@1" if centred else "@1"
    first = {name.removesuffix(ending): value for name, value in entry.items() if name.endswith(ending)}
    return {name: value for name, value in first.items() if not name.endswith(_CENTRED)}


def _millions(experiment: Mapping[str, object]) -> float:
    students = build_students(experiment)
    millions = sum(parameter.numel() for parameter in students.sketch.parameters()) / 1e6
    # Two digits, so that encoders that differ by a little in size share a tick.
    return float(f"{millions:.2g}")


def _converged(curve: Sequence[tuple[int, float]]) -> int:
    """The first step with 95 % of the best."""
    best = max(value for _, value in curve)
    return next(step for step, value in curve if value >= _NEAR * best)


def _drawn(trained: Sequence[Trained]) -> str:
    splits = [name for name in trained[0].figures if all(name in each.figures for each in trained)]
    if not splits:
        raise NothingToPlot("they share no split that all of them were measured on")
    how = "mean-centred within a category" if trained[0].centred else "plain cosines"
    sizes = sorted({each.parameters for each in trained})
    size = Axis("million parameters of an encoder", [(size, f"{size:g} M") for size in sizes], log=True, margin=0.06)
    by_size = [
        Series(name, [Point(each.parameters, round(each.figures[name], 1)) for each in trained]) for name in splits
    ]
    charts = [Chart(f"acc@1 in per cent, {how}", size, Axis(), by_size, titled=True, legend=True)]
    runs = [(each, each.means(splits)) for each in trained if each.curve]
    if runs:
        reached = [Series(each.name, [Point(each.parameters, _converged(curve))]) for each, curve in runs]
        curves = [
            Series(f"{each.name} ({each.parameters:g} M)", [Point(step, round(mean, 1)) for step, mean in curve])
            for each, curve in runs
        ]
        title = f"steps to {_NEAR:.0%} of the best"
        charts.append(Chart(title, size, Axis(include=(0,)), reached, titled=True, legend=True))
        steps = Axis("step", include=(0,))
        charts.append(Chart("mean acc@1 while training", steps, Axis(), curves, titled=True, legend=True))
    return charts_svg(charts)
