"""A calibration as a page: how often results of each confidence are right, for each kind of search."""

from __future__ import annotations

from datetime import datetime

from models.evaluation.calibration.calibrate import CalibrationResult
from models.evaluation.calibration.fit import FALSE_ALARMS, FOLDS
from models.evaluation.reliability import Reliability
from models.evaluation.report.axes import Axis
from models.evaluation.report.charts import Chart, Point, Series, chart_svg, in_percent
from models.evaluation.report.frame import facts_list, html_document

_SEARCHES = {
    "everything": "Among everything: the first result shows the kind of thing that was drawn",
    "kind": "Among everything, by kind alone",
    "category": "Within a category: the first result is the very photo",
}


def reliability_chart(measured: Reliability) -> str:
    """Share of right results over confidence, in per cent, a point per tenth of results; the diagonal is perfect."""
    points = [Point(100 * part.confidence, 100 * part.right, in_percent(part.interval)) for part in measured.bins]
    series = [
        Series("measured", points),
        Series("as it should be", [Point(0, 0), Point(100, 100)], marked=()),
    ]
    ends = Axis("confidence of the first result", include=(0, 100)), Axis(include=(0, 100))
    return chart_svg(Chart("right, in per cent", *ends, series, value="{:.1f} %"))


def reliability_hint(measured: Reliability) -> str:
    """What the chart says in a figure."""
    return (
        f"Expected calibration error: {100 * measured.error:.1f} points over {measured.count:,} searches, ten bins of "
        "equal size; whiskers are 95 % intervals."
    )


def calibration_page(bundle_id: str, result: CalibrationResult, made_at: datetime) -> str:
    """One HTML document that needs nothing but itself."""
    facts = (
        ("Bundle", bundle_id),
        ("Splits", ", ".join([*result.calibration.provenance["splits"], *result.calibration.provenance["kinds"]])),
        ("Measured", f"{made_at:%Y-%m-%d %H:%M} UTC"),
    )
    plots = "".join(
        f"<section><h3>{_SEARCHES[name]}</h3>{reliability_chart(fitted.reliability)}"
        f'<p class="hint">{reliability_hint(fitted.reliability)}</p>{_figures(fitted.calibration.metrics)}</section>'
        for name, fitted in result.fitted.items()
    )
    method = (
        '<section class="method"><h3>How this was measured</h3><ul>'
        f"<li>Every figure is of kinds or categories that were left out of its fit ({FOLDS} folds).</li>"
        "<li>Diagrams show searches whose right photo is in the gallery: the whole one and smaller ones.</li>"
        "<li><i>False alarms</i>: right first results that are said not to fit well; the threshold admits "
        f"{100 * FALSE_ALARMS:.0f} %. <i>Misses</i>: searches without a right photo that are not said to.</li>"
        "<li><i>Above 0.5</i>: first results of such a confidence; of drawings of nothing they are all wrong.</li>"
        "<li><i>Error before</i>: the score itself taken for a probability.</li></ul></section>"
    )
    body = [f'<div class="plots">{plots}</div>', method]
    return html_document(
        "What do scores mean?", body, title=f"{bundle_id}: calibration", style="", header=facts_list(facts)
    )


def _figures(metrics: dict[str, dict[str, object]]) -> str:
    columns = {"searches": "searches", "right": "right first", "error_before": "error before", "error": "error"}
    columns |= {"false_alarms": "false alarms", "misses": "misses", "confident": "above 0.5", "auc": "AUC"}
    rows = []
    for split, figures in metrics["cross_fitted"].items():
        if isinstance(figures, dict):
            cells = "".join(f"<td>{_cell(key, figures.get(key))}</td>" for key in columns)
            rows.append(f'<tr><th scope="row">{split}</th>{cells}</tr>')
    head = "".join(f"<th>{label}</th>" for label in columns.values())
    return (
        f'<div class="scroll"><table class="methods"><thead><tr><th>split</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _cell(key: str, value: float | None) -> str:
    if value is None:
        return ""
    if key == "searches":
        return f"{value:,.0f}"
    return f"{value:.2f}" if key == "auc" else f"{100 * value:.1f}"
