"""The results of trials as an HTML page, in the frame of all reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from models.evaluation.few_shot.charts import change_chart
from models.evaluation.few_shot.figures import Share, by_task
from models.evaluation.few_shot.protocol import TASK, WHOLE
from models.evaluation.few_shot.results import Result, gain, percent
from models.evaluation.intervals import RESAMPLES
from models.evaluation.report.charts import Chart, chart_svg
from models.evaluation.report.frame import facts_list, html_document

_CHANGES = 30  # tasks in one plot of changes: more are no plot


@dataclass(frozen=True)
class Page:
    """`facts`: name and value of what was measured. `shown`: the (method, k) whose change is drawn task by task."""

    facts: Sequence[tuple[str, str]]
    results: Sequence[Result]
    made_at: datetime
    shown: tuple[str, int]
    charts: Sequence[Chart] = ()


def adaptation_page(page: Page) -> str:
    """The HTML document: a section per result, charts of ablations, how it was measured."""
    facts = [*page.facts, ("Measured", f"{page.made_at:%Y-%m-%d %H:%M} UTC")]
    body = [_section(result, page.shown) for result in page.results]
    if page.charts:
        drawn = "".join(f"<figure><h4>{escape(each.title)}</h4>{chart_svg(each)}</figure>" for each in page.charts)
        body.append(
            '<section><h3>Ablations</h3><p class="hint">Points of acc@1 within the task above no adaptation, query by '
            f'query; bars are 95 % intervals of that.</p><div class="plots">{drawn}</div></section>'
        )
    body.append(_method())
    return html_document("What do a few examples help?", body, title="Few-shot adaptation", header=facts_list(facts))


def _section(result: Result, shown: tuple[str, int]) -> str:
    trial = result.trial
    parts = [f"<h2>{escape(trial.material)}</h2>", f'<p class="lead">{escape(result.lead)}</p>', table(result)]
    if shown in trial.ranks and 1 < len(trial.task_names) <= _CHANGES:
        before, after = by_task(trial, (result.baseline, shown[1])), by_task(trial, shown)
        parts.append(
            f"<h4>{escape(shown[0])} with k = {shown[1]} compared with {escape(result.baseline)}</h4>"
            '<p class="hint">acc@1 within the task, those that gain most on top.</p>'
            + chart_svg(change_chart(trial.task_names, before.tolist(), after.tolist()))
        )
    return f"<section>{''.join(parts)}</section>"


def table(result: Result) -> str:
    """One row per method, three or four columns per k."""
    whole = result.is_whole_apart
    heads = "".join(
        f"<th>k = {k}<br>acc@1</th><th>acc@5</th><th>gain @1</th>{'<th>whole<br>acc@1</th>' if whole else ''}"
        for k in result.ks
    )
    rows = []
    for name in result.methods:
        cells = []
        for k in result.ks:
            figures = result.figures[name, k]
            cells.append(f"<td><b>{percent(figures.shares[TASK, 1])}</b>{_between(figures.shares[TASK, 1])}</td>")
            cells.append(f"<td>{percent(figures.shares[TASK, 5])}</td>")
            cells.append("<td></td>" if name == result.baseline else _gain(figures.gains[TASK, 1]))
            if whole:
                cells.append(f"<td>{percent(figures.shares[WHOLE, 1])}</td>")
        rows.append(f'<tr><th scope="row">{escape(name)}</th>{"".join(cells)}</tr>')
    return (
        f'<div class="scroll"><table class="methods"><thead><tr><th>method</th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _gain(share: Share) -> str:
    value, _, between = gain(share).partition(" ")
    kind = ("gain" if share.value > 0 else "loss") if share.is_significant else ""
    return f'<td><span class="{kind}">{value}</span><small>{between}</small></td>'


def _between(share: Share) -> str:
    if share.interval is None:
        return ""
    return f"<small>{100 * share.interval.low:.1f} to {100 * share.interval.high:.1f}</small>"


def _method() -> str:
    return (
        '<section class="method"><h3>How this was measured</h3><ul>'
        "<li>A task is a category or a person. Each draw divides its sketched photos: k sketches of the first ones, at "
        "most ten and leaving at least two, are the examples; every sketch of the others is a query.</li>"
        "<li>No photo of a query is ever among the examples. Draws are the same for every method and every k.</li>"
        "<li>The gallery holds all photos of the task, also those of the examples and those without a "
        "sketch. One photo is right. Ties count against the query.</li>"
        "<li>Whole: all photos of the split. Plain cosines decide which ranks go to the task's photos, the adapter "
        "which of them has which.</li>"
        f"<li>Gains are differences query by query. Intervals: 95 %, {RESAMPLES:,} bootstrap resamples of categories "
        "or people, of photos where there are fewer than five. The interval of a coloured gain leaves out 0.</li>"
        "</ul></section>"
    )
