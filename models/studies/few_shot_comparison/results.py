"""A comparison as comparison.json, comparison.md and comparison.html."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models.atomic_files import write_json, write_text
from models.evaluation.few_shot.bundle_methods import GATED
from models.evaluation.few_shot.charts import share_chart
from models.evaluation.few_shot.figures import difference
from models.evaluation.few_shot.methods import Centred, NoAdaptation
from models.evaluation.few_shot.page import Page, adaptation_page
from models.evaluation.few_shot.protocol import TASK
from models.evaluation.few_shot.results import Result, document, gain, markdown
from models.evaluation.report.charts import Chart
from models.studies.few_shot_comparison.variant import ComparisonConfig, Plotted


@dataclass(frozen=True)
class ComparisonResults:
    """All that a comparison measured.

    `facts`: name and value of what was compared. `table`, `ablations`: on the folds, None without folds. `tests`: of
    the bundle. `margins`: the mean predicted margin of each test category.
    """

    facts: tuple[tuple[str, str], ...]
    table: Result | None
    ablations: Result | None
    tests: tuple[Result, ...]
    margins: Mapping[str, float]


def write(out: Path, config: ComparisonConfig, results: ComparisonResults) -> None:
    """Write the three files. Raises OSError."""
    out.mkdir(parents=True, exist_ok=True)
    written: dict[str, Any] = {**dict(results.facts), "config": config.model_dump(mode="json")}
    for name, result in (("table", results.table), ("ablations", results.ablations)):
        if result is not None:
            written[name] = document([result])
    written["tests"] = document(results.tests)
    written["predicted_margins"] = {name: round(margin, 4) for name, margin in results.margins.items()}
    write_json(out / "comparison.json", written)
    write_text(out / "comparison.md", _markdown(config, results))
    tables = [result for result in (results.table, *results.tests) if result is not None]
    has_adaptation = any(GATED in result.methods for result in tables)
    shown = (GATED if has_adaptation else config.shown, config.ablation_k)
    page = Page(results.facts, tables, datetime.now(UTC), shown, charts(results.ablations, config))
    write_text(out / "comparison.html", adaptation_page(page))


def _markdown(config: ComparisonConfig, results: ComparisonResults) -> str:
    lines = [f"{name}: {value}  " for name, value in results.facts]
    for result in (results.table, results.ablations, *results.tests):
        if result is not None:
            lines += ["", markdown(result), *(f"- {line}" for line in differences(result, config))]
    if results.margins:
        margins = ", ".join(f"{name} {margin:.3f}" for name, margin in sorted(results.margins.items()))
        lines += ["", f"Margins predicted by {config.shown} with k = {config.ablation_k}: {margins}"]
    return "\n".join(lines) + "\n"


def differences(result: Result, config: ComparisonConfig) -> list[str]:
    """Of the shown variant and of the gated adapter: more examples minus fewer, and minus each other method."""
    lines = []
    k = config.ablation_k if config.ablation_k in result.ks else result.ks[-1]

    def minus(arm: tuple[str, int], other: tuple[str, int]) -> str:
        return gain(difference(result.trial, arm, other, seed=result.seed))

    for name in (config.shown, GATED):
        if name not in result.methods:
            continue
        for few, many in zip(result.ks, result.ks[1:], strict=False):
            lines.append(f"{name}, k = {many} minus k = {few}: {minus((name, many), (name, few))}")
        for other in result.methods:
            if other != name:
                lines.append(f"{name} minus {other}, k = {k}: {minus((name, k), (other, k))}")
    return lines


def charts(ablations: Result | None, config: ComparisonConfig) -> Sequence[Chart]:
    """The plots of the paper's poster, as gains over no adaptation."""
    if ablations is None:
        return ()
    made = (_chart(ablations, plotted, config.ablation_k) for plotted in config.plots)
    return tuple(each for each in made if each is not None)


def _chart(ablations: Result, plotted: Plotted, k: int) -> Chart | None:
    points = [
        (name.removeprefix(plotted.prefix), ablations.figures[name, k].gains[TASK, 1])
        for name in ablations.methods
        if name.startswith(plotted.prefix)
    ]
    if not points:
        return None
    centred = ablations.figures[Centred().name, k].gains[TASK, 1].value
    levels = ((NoAdaptation().name, 0.0), ("centred, without examples", centred))
    return share_chart(plotted.title, plotted.axis, points, levels, joined=plotted.joined)
