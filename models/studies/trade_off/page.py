"""The trade-off as a page: a table, and acc@1 against time and against size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from models.evaluation.report.axes import Axis
from models.evaluation.report.charts import Chart, Point, Series, chart_svg
from models.evaluation.report.frame import html_document
from models.studies.trade_off.entry import TradeOffEntry, headings

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LEAD = (
    "Every sketch is searched among its category's photos. The figures come from the bundles' manifests, where they "
    "were measured through the files that ship. The cost is that of the sketch encoder relative to the first bundle's."
)


def trade_off_page(entries: Sequence[TradeOffEntry]) -> str:
    """A whole HTML document without scripts. At most as many rows as there are letters."""
    lettered = list(zip(_LETTERS, entries, strict=False))
    body = "".join(f"<tr><td><b>{letter}</b></td>{_cells(entry.cells, 'td')}</tr>" for letter, entry in lettered)
    charts = [
        _chart(lettered, lambda entry: entry.sketch_ms, "CPU milliseconds per sketch, one thread"),
        _chart(lettered, lambda entry: entry.megabytes, "megabytes of both encoders"),
    ]
    head = f"<thead><tr><th></th>{_cells(headings(entries), 'th')}</tr></thead>"
    return html_document(
        "Accuracy against cost",
        [
            f'<section><div class="scroll"><table class="methods">{head}<tbody>{body}</tbody></table></div></section>',
            f'<section class="plots">{"".join(f"<figure>{chart_svg(chart)}</figure>" for chart in charts)}</section>',
        ],
        header=f'<p class="lead">{_LEAD}</p>',
    )


def _cells(texts: Sequence[str], tag: str) -> str:
    name, *numbers = texts
    return f'<{tag} class="name">{escape(name)}</{tag}>' + "".join(f"<{tag}>{escape(each)}</{tag}>" for each in numbers)


def _chart(lettered: Sequence[tuple[str, TradeOffEntry]], cost: Callable[[TradeOffEntry], float], axis: str) -> Chart:
    """Mean acc@1 in per cent over a cost on a logarithmic axis, one letter per bundle."""
    points = [Point(float(f"{cost(entry):.3g}"), 100 * entry.mean_accuracy, label=letter) for letter, entry in lettered]
    series = Series("", points, joined=False)
    return Chart("mean acc@1 in per cent", Axis(axis, log=True), Axis(), [series], value="{:.1f} %", titled=True)
