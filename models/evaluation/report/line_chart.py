"""Charts of lines and points beside each other as one SVG that needs nothing but itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_COLOURS = ("#2c47c5", "#16803c", "#a02c1d", "#8a5a00", "#7a3fa0", "#0f7c8a", "#655f55")
_LEFT, _TOP, _WIDTH, _HEIGHT, _PITCH = 44.0, 44.0, 320.0, 190.0, 400.0
_LEGEND_PX = 18.0
_MOST_TICKS = 6

_STYLE = """
svg { background: #fffefb; font: 12px system-ui, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif; }
text { fill: #655f55; } .title, .legend { fill: #1d1b18; } .title { font-weight: 600; font-size: 14px; }
.grid { stroke: #e3ddd0; } polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
circle { fill: #fffefb; stroke-width: 2; }
""".strip()


@dataclass(frozen=True)
class Line:
    """`points`: x, y, in any order."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Chart:
    """`log_x`: a logarithmic axis with a tick at each x, else one of round steps from 0. `unit`: behind x's ticks.

    `from_zero`: the y axis begins at 0, not where the values do.
    """

    title: str
    axis: str
    lines: Sequence[Line]
    log_x: bool = False
    unit: str = ""
    from_zero: bool = False


def charts_svg(charts: Sequence[Chart]) -> str:
    """Each chart with its own axes and legend. A line goes through the mean of the points that share an x."""
    deepest = max(len(chart.lines) for chart in charts)
    width = _PITCH * len(charts)
    height = _TOP + _HEIGHT + 48 + _LEGEND_PX * deepest
    drawn = "".join(
        f'<g transform="translate({_PITCH * number:.0f} 0)">{_chart(chart)}</g>' for number, chart in enumerate(charts)
    )
    said = escape("; ".join(chart.title for chart in charts))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" role="img" aria-label="{said}"><style>{_STYLE}</style>{drawn}</svg>\n'
    )


def round_ticks(low: float, high: float) -> list[float]:
    """At most six round numbers, the first not above `low`, the last not below `high`."""
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    spread = high - low
    step = 10.0 ** math.floor(math.log10(spread))
    for factor in (0.2, 0.5, 1.0, 2.0, 5.0, 10.0):
        first, last = math.floor(low / (step * factor)), math.ceil(high / (step * factor))
        if last - first < _MOST_TICKS:
            return [number * step * factor for number in range(first, max(last, first + 1) + 1)]
    raise AssertionError("a step of ten times the spread leaves two ticks")


def _chart(chart: Chart) -> str:
    points = [point for line in chart.lines for point in line.points]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    x_ticks = sorted(set(xs)) if chart.log_x else round_ticks(0.0, max(xs))
    y_ticks = round_ticks(0.0 if chart.from_zero else min(ys), max(ys))

    def scaled(x: float) -> float:
        return math.log(x) if chart.log_x else x

    # One x alone stands in the middle of its axis.
    pad = (0.5 if x_ticks[0] == x_ticks[-1] else 0.06 * (scaled(x_ticks[-1]) - scaled(x_ticks[0]))) * chart.log_x
    left, right = scaled(x_ticks[0]) - pad, scaled(x_ticks[-1]) + pad

    def place(x: float, y: float) -> tuple[float, float]:
        across = (scaled(x) - left) / (right - left)
        return _LEFT + _WIDTH * across, _TOP + _HEIGHT * (y_ticks[-1] - y) / (y_ticks[-1] - y_ticks[0])

    parts = [f'<text class="title" x="{_LEFT - 30}" y="20">{escape(chart.title)}</text>']
    for tick in y_ticks:
        y = place(x_ticks[0], tick)[1]
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    last = -math.inf
    for tick in x_ticks:
        x = place(tick, y_ticks[0])[0]
        if x - last > 36:  # labels that would touch are left out
            parts.append(
                f'<text x="{x:.1f}" y="{_TOP + _HEIGHT + 17}" text-anchor="middle">{tick:g}{escape(chart.unit)}</text>'
            )
            last = x
    middle = f'x="{_LEFT + _WIDTH / 2}" y="{_TOP + _HEIGHT + 36}" text-anchor="middle"'
    parts.append(f"<text {middle}>{escape(chart.axis)}</text>")
    for number, line in enumerate(chart.lines):
        colour = _COLOURS[number % len(_COLOURS)]
        placed = [(place(x, y), x, y) for x, y in sorted(line.points)]
        at: dict[float, list[float]] = {}
        for (x, y), _, _ in placed:
            at.setdefault(x, []).append(y)
        drawn = " ".join(f"{x:.1f},{sum(ys) / len(ys):.1f}" for x, ys in at.items())
        parts.append(f'<polyline points="{drawn}" stroke="{colour}"/>')
        for (x, y), told_x, told_y in placed:
            told = f"{escape(line.name)}: {told_y:g} at {told_x:g}{escape(chart.unit)}"
            parts.append(f'<circle r="3.5" cx="{x:.1f}" cy="{y:.1f}" stroke="{colour}"><title>{told}</title></circle>')
        below = _TOP + _HEIGHT + 58 + _LEGEND_PX * number
        parts.append(f'<circle r="4" cx="{_LEFT}" cy="{below - 4:.1f}" stroke="{colour}"/>')
        parts.append(f'<text class="legend" x="{_LEFT + 12}" y="{below:.1f}">{escape(line.name)}</text>')
    return "".join(parts)
