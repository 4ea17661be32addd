"""Figures as HTML: tiles, bars with their intervals, the curve of acc@k."""

from __future__ import annotations

from html import escape

from models.evaluation.dataset_evaluation import CurvePoint, Evaluation, Measured
from models.evaluation.intervals import Interval
from models.evaluation.ranking import Protocol
from models.evaluation.report.selection import from_best_to_worst

_LABELS = {"acc_at_1": "acc@1", "acc_at_5": "acc@5", "acc_at_10": "acc@10", "mean_average_precision": "mAP"}
_READABLE_ROWS = 30


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
    """The overall figures, large."""
    measured, plain = evaluation.served.overall, evaluation.plain
    parts = []
    for name, label in _LABELS.items():
        value: float = getattr(measured.figures, name)
        interval = measured.intervals[name] if measured.intervals else None
        parts.append(
            f'<div class="tile"><dt>{label}</dt><dd><b>{percent(value)}</b><span class="unit">%</span>'
            f'<span class="interval">{between(interval)}</span>{bar(value, interval)}'
            f"{_beside(plain.overall, name) if plain is not None else ''}</dd></div>"
        )
    interval = measured.intervals["mean_rank"] if measured.intervals else None
    parts.append(
        f'<div class="tile"><dt>mean rank</dt><dd><b>{measured.figures.mean_rank:.2f}</b>'
        f'<span class="interval">{between(interval, share=False)}</span>'
        f'<span class="note">by chance, acc@1 is {percent(evaluation.chance_at_1)} %</span></dd></div>'
    )
    return f'<dl class="tiles">{"".join(parts)}</dl>'


def _beside(plain: Measured, name: str) -> str:
    interval = plain.intervals[name] if plain.intervals else None
    value: float = getattr(plain.figures, name)
    return f'<span class="note">plain {percent(value)} ({between(interval)})</span>'


def bar(share: float, interval: Interval | None) -> str:
    """A bar from 0 to 1 with its interval across its end."""
    whisker = ""
    if interval is not None:
        width = max(0.0, interval.high - interval.low)
        whisker = f'<i class="whisker" style="left:{percent(interval.low)}%;width:{percent(width)}%"></i>'
    return f'<span class="bar" aria-hidden="true"><i style="width:{percent(share)}%"></i>{whisker}</span>'


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
        f'<td class="wide"><span class="measure">{bar(figures.acc_at_1, interval)}<b>{percent(figures.acc_at_1)}</b>'
        f'<span class="interval">{between(interval)}</span></span></td>{_cells(after)}</tr>'
    )


def _cells(labelled: list[tuple[str, str]]) -> str:
    return "".join(f'<td data-label="{label}">{value}</td>' for label, value in labelled)


_LEFT, _TOP, _WIDTH, _HEIGHT = 34.0, 10.0, 356.0, 190.0


def curve(points: tuple[CurvePoint, ...]) -> str:
    """acc@k over k as SVG, its intervals as a band."""

    def at(k: float, share: float) -> str:
        return f"{_LEFT + _WIDTH * (k - 1) / (len(points) - 1):.1f},{_TOP + _HEIGHT * (1 - share):.1f}"

    lines = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = _TOP + _HEIGHT * (1 - share)
        lines.append(f'<line class="grid" x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{y}" y2="{y}"/>')
        lines.append(f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{100 * share:.0f}</text>')
    for k in (1, 5, 10, 15, 20):
        x = at(k, 0).split(",")[0]
        lines.append(f'<text x="{x}" y="{_TOP + _HEIGHT + 17}" text-anchor="middle">{k}</text>')
    band = ""
    if all(point.interval for point in points):
        upper = [at(p.k, p.interval.high) for p in points if p.interval]
        lower = [at(p.k, p.interval.low) for p in points if p.interval]
        band = f'<polygon class="band" points="{" ".join(upper + lower[::-1])}"/>'
    drawn = " ".join(at(point.k, point.share) for point in points)
    dots = "".join(
        '<circle r="3.5" cx="{}" cy="{}"><title>acc@{}: {} %</title></circle>'.format(
            *at(p.k, p.share).split(","), p.k, percent(p.share)
        )
        for p in points
        if p.k in (1, 5, 10, 20)
    )
    ends = f"acc@k from {percent(points[0].share)} % at 1 to {percent(points[-1].share)} % at {len(points)}"
    return (
        f'<svg class="curve" viewBox="0 0 400 226" role="img" aria-label="{ends}">{"".join(lines)}{band}'
        f'<polyline points="{drawn}"/>{dots}</svg>'
    )
