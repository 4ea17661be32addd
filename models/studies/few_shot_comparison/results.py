"""A comparison as comparison.json, comparison.md and comparison.html."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

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
class Told:
    """`facts`: what was compared with what. `margins`: of test categories, as predicted."""

    facts: tuple[tuple[str, str], ...]
    table: Result | None
    ablations: Result | None
    tests: tuple[Result, ...]
    margins: Mapping[str, float]


def write(out: Path, config: ComparisonConfig, found: Told) -> None:
    """The three files."""
    out.mkdir(parents=True, exist_ok=True)
    told: dict[str, Any] = {**dict(found.facts), "config": config.model_dump(mode="json")}
    for name, result in (("table", found.table), ("ablations", found.ablations)):
        if result is not None:
            told[name] = document([result])
    told["tests"] = document(found.tests)
    told["predicted_margins"] = {name: round(margin, 4) for name, margin in found.margins.items()}
    (out / "comparison.json").write_text(json.dumps(told, ensure_ascii=False, indent=2), encoding="utf-8")
    (out / "comparison.md").write_text(_markdown(config, found), encoding="utf-8")
    tables = [result for result in (found.table, *found.tests) if result is not None]
    served = any(GATED in result.methods for result in tables)
    shown = (GATED if served else config.shown, config.ablation_k)
    page = Page(found.facts, tables, datetime.now(UTC), shown, charts(found.ablations, config))
    (out / "comparison.html").write_text(adaptation_page(page), encoding="utf-8")


def _markdown(config: ComparisonConfig, found: Told) -> str:
    lines = [f"{name}: {value}  " for name, value in found.facts]
    for result in (found.table, found.ablations, *found.tests):
        if result is not None:
            lines += ["", markdown(result), *(f"- {line}" for line in differences(result, config))]
    if found.margins:
        told = ", ".join(f"{name} {margin:.3f}" for name, margin in sorted(found.margins.items()))
        lines += ["", f"Margins predicted by {config.shown} with k = {config.ablation_k}: {told}"]
    return "\n".join(lines) + "\n"


def differences(result: Result, config: ComparisonConfig) -> list[str]:
    """Of the shown variant and of what serves: more examples less fewer, and each other method taken away."""
    lines = []
    k = config.ablation_k if config.ablation_k in result.ks else result.ks[-1]

    def less(arm: tuple[str, int], other: tuple[str, int]) -> str:
        return gain(difference(result.trial, arm, other, seed=result.seed))

    for name in (config.shown, GATED):
        if name not in result.methods:
            continue
        for few, many in zip(result.ks, result.ks[1:], strict=False):
            lines.append(f"{name}, k = {many} less k = {few}: {less((name, many), (name, few))}")
        for other in result.methods:
            if other != name:
                lines.append(f"{name} less {other}, k = {k}: {less((name, k), (other, k))}")
    return lines


def charts(ablations: Result | None, config: ComparisonConfig) -> Sequence[Chart]:
    """The poster's plots, as gains on no adaptation."""
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
