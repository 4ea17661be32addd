"""Figures as HTML: tiles, the table of categories, the curve of acc@k, the comparison with another bundle."""

from __future__ import annotations

from html import escape

from models.evaluation.dataset_evaluation import CurvePoint, Evaluation, Measured
from models.evaluation.intervals import Interval
from models.evaluation.paired import Difference, Paired
from models.evaluation.rankings import Protocol
from models.evaluation.report.axes import Axis
from models.evaluation.report.charts import Chart, Point, Series, bar_svg, chart_svg, in_percent
from models.evaluation.report.selection import from_best_to_worst

_LABELS = {"acc_at_1": "acc@1", "acc_at_5": "acc@5", "acc_at_10": "acc@10", "mean_average_precision": "mAP"}
_READABLE_ROWS = 30
_CURVE_TICKS = (1, 5, 10, 15, 20)


def percent(share: float) -> str:
    """0.4321 -> `43.2`."""
    return f"{100 * share:.1f}"


def between(interval: Interval | None, *, share: bool = True) -> str:
    """`40.1 - 46.0` with a real dash, or nothing."""
    if interval is None:
        return "no interval"
    low, high = interval.low, interval.high
    return f"{percent(low)} – {percent(high)}" if share else f"{low:.2f} – {high:.2f}"  # noqa: RUF001


def tiles(evaluation: Evaluation) -> str:
    """The overall figures in large type, with intervals, and the plain ones where they differ."""
    measured, plain = evaluation.served.overall, evaluation.plain
    parts = []
    for name, label in _LABELS.items():
        value: float = getattr(measured.figures, name)
        interval = measured.intervals[name] if measured.intervals else None
        parts.append(
            f'<div class="tile"><dt>{label}</dt><dd><b>{percent(value)}</b><span class="unit">%</span>'
            f'<span class="interval">{between(interval)}</span>{bar_svg(value, interval)}'
            f"{_plain_note(plain.overall, name) if plain is not None else ''}</dd></div>"
        )
    interval = measured.intervals["mean_rank"] if measured.intervals else None
    parts.append(
        f'<div class="tile"><dt>mean rank</dt><dd><b>{measured.figures.mean_rank:.2f}</b>'
        f'<span class="interval">{between(interval, share=False)}</span>'
        f'<span class="note">acc@1 at chance: {percent(evaluation.chance_at_1)} %</span></dd></div>'
    )
    if (first := evaluation.category_first) is not None:
        parts.append(
            f'<div class="tile"><dt>category first</dt><dd><b>{percent(first.value)}</b><span class="unit">%</span>'
            f'<span class="interval">{between(first.interval)}</span>{bar_svg(first.value, first.interval)}</dd></div>'
        )
    return f'<dl class="tiles">{"".join(parts)}</dl>'


def _plain_note(plain: Measured, name: str) -> str:
    interval = plain.intervals[name] if plain.intervals else None
    value: float = getattr(plain.figures, name)
    return f'<span class="note">plain {percent(value)} ({between(interval)})</span>'


def category_table(evaluation: Evaluation) -> str:
    """All categories, the best first; the middle of many is folded away."""
    names = from_best_to_worst(evaluation)
    alike = evaluation.protocol is Protocol.GALLERY  # everything is searched in the same photos
    rows = [_category_row(name, evaluation, alike) for name in names]
    head = _head(alike, evaluation.plain is not None)
    if len(rows) <= _READABLE_ROWS:
        return _table(head, rows)
    third = _READABLE_ROWS // 3
    return (
        f"{_table(head, rows[:third])}<details><summary>{len(rows) - 2 * third} more categories</summary>"
        f"{_table(head, rows[third:-third])}</details>{_table(head, rows[-third:])}"
    )


def _table(head: str, rows: list[str]) -> str:
    return f'<table class="categories">{head}<tbody>{"".join(rows)}</tbody></table>'


def _head(alike: bool, with_plain: bool) -> str:
    photos = "" if alike else "<th>photos</th>"
    texts = (*(("plain @1",) if with_plain else ()), "acc@5", "acc@10", "mAP", "mean rank")
    more = "".join(f"<th>{text}</th>" for text in texts)
    return (
        f"<thead><tr><th>category</th><th>sketches</th>{photos}"
        f'<th class="wide">acc@1, with interval</th>{more}</tr></thead>'
    )


def _category_row(name: str, evaluation: Evaluation, alike: bool) -> str:
    measured, plain = evaluation.served.categories[name], evaluation.plain
    figures = measured.figures
    interval = measured.intervals["acc_at_1"] if measured.intervals else None
    before = [("sketches", f"{figures.queries:,}"), ("photos", f"{figures.photos:,}")]
    after = [("plain @1", percent(plain.categories[name].figures.acc_at_1))] if plain is not None else []
    after += [
        ("acc@5", percent(figures.acc_at_5)),
        ("acc@10", percent(figures.acc_at_10)),
        ("mAP", percent(figures.mean_average_precision)),
        ("mean rank", f"{figures.mean_rank:.2f}"),
    ]
    return (
        f'<tr><th scope="row">{escape(name)}</th>{_cells(before[:1] if alike else before)}'
        f'<td class="wide"><span class="measure">{bar_svg(figures.acc_at_1, interval)}'
        f'<b>{percent(figures.acc_at_1)}</b><span class="interval">{between(interval)}</span></span></td>'
        f"{_cells(after)}</tr>"
    )


def _cells(labelled: list[tuple[str, str]]) -> str:
    return "".join(f'<td data-label="{label}">{value}</td>' for label, value in labelled)


def curve(points: tuple[CurvePoint, ...]) -> str:
    """acc@k in per cent over k as SVG, its intervals as a band."""
    drawn = [Point(point.k, 100 * point.share, in_percent(point.interval)) for point in points]
    series = Series("", drawn, band=True, marked=_CURVE_TICKS)
    x = Axis("k", ticks=[(k, str(k)) for k in _CURVE_TICKS])
    return chart_svg(Chart("acc@k in per cent", x, Axis(include=(0, 100)), [series], value="{:.1f} %"))


def comparison(other: str, pair: Paired) -> str:
    """A section: the differences with their intervals, and how many queries each bundle ranks first."""
    tiles = "".join(
        f'<div class="tile"><dt>{label}</dt><dd><b>{_points(pair.differences[name].value)}</b>'
        f'<span class="unit">points</span><span class="interval">{_between(pair.differences[name])}</span></dd></div>'
        for name, label in _LABELS.items()
    )
    rank = pair.differences["mean_rank"]
    between = f"{rank.interval.low:+.2f} to {rank.interval.high:+.2f}" if rank.interval is not None else "no interval"
    tiles += (
        f'<div class="tile"><dt>mean rank</dt><dd><b>{rank.value:+.2f}</b>'
        f'<span class="interval">{between}</span></dd></div>'
    )
    return (
        f'<section class="against"><h3>Minus {escape(other)}</h3><p class="hint">On the same sketches, query by query. '
        f"Ranked first by both: {pair.both:,}; by this one alone: {pair.only_this:,}; by the other alone: "
        f'{pair.only_other:,}; by neither: {pair.neither:,}.</p><dl class="tiles">{tiles}</dl></section>'
    )


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def _between(difference: Difference) -> str:
    if difference.interval is None:
        return "no interval"
    return f"{_points(difference.interval.low)} to {_points(difference.interval.high)}"
