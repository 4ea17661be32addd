"""Charts as SVG that needs nothing but itself: lines, points and bars, with intervals, in light and in dark.

Series differ by colour, by marker and by dashes: the colours are those of Okabe and Ito (Color Universal Design, 2008),
a little darker where a white ground asks for it, which people with each form of colour blindness can tell apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from models.evaluation.intervals import Interval
from models.evaluation.report.axes import Axis, Scale

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#b8609a", "#a67c00", "#7a7469")
_MARKERS = ("circle", "square", "triangle", "diamond", "cross")  # not as many as colours, so that pairs repeat late
_DASHES = ("", "7 3", "2 3")
_WIDTH, _TOP, _RIGHT = 400.0, 12.0, 10.0
_TITLE_PX, _LEGEND_PX, _BELOW_PX = 22.0, 18.0, 44.0
_CLOSEST_LABELS_PX = 36.0
_DESCRIBED_POINTS = 12

CHART_STYLE = """
.chart { font: 12px system-ui, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif; }
.chart text { fill: #655f55; } .chart .title, .chart .strong { fill: #1d1b18; } .chart .title { font-weight: 600; }
.chart .grid { stroke: #e3ddd0; } .chart .level { stroke: #655f55; stroke-width: 1.5; stroke-dasharray: 5 4; }
.chart .ground, .chart .hollow { fill: #fffefb; } .chart .empty { fill: #efebe1; }
.chart polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
.chart .band { opacity: 0.18; } .chart .whisker { stroke-width: 1.5; } .chart .mark { stroke-width: 2; }
.chart .link { stroke: #655f55; stroke-width: 1.5; opacity: 0.6; } .chart .extent { stroke: #1d1b18; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
  .chart text { fill: #b3aca0; } .chart .title, .chart .strong { fill: #f3efe7; }
  .chart .grid { stroke: #3a3731; } .chart .level, .chart .link { stroke: #b3aca0; }
  .chart [fill="#0072b2"] { fill: #56b4e9; } .chart [stroke="#0072b2"] { stroke: #56b4e9; }
  .chart .ground, .chart .hollow { fill: #211f1c; } .chart .empty { fill: #34312c; } .chart .extent { stroke: #f3efe7; }
}
""".strip()


@dataclass(frozen=True)
class Point:
    """`interval`: of y. `label`: is written next to the point."""

    x: float
    y: float
    interval: Interval | None = None
    label: str = ""


@dataclass(frozen=True)
class Series:
    """`points` in any order.

    `joined`: a line goes through them, through the mean where several share an x. `band`: their intervals are one band,
    not a whisker each. `hollow`: markers are outlines. `marked`: the x of points that have a marker; all without it.
    """

    name: str
    points: Sequence[Point]
    joined: bool = True
    band: bool = False
    hollow: bool = False
    marked: Sequence[float] | None = None


@dataclass(frozen=True)
class Chart:
    """`levels`: name and y of dashed lines. `links`: pairs of points with a line between them.

    `value`: how a y is written for people who point at it or have it read to them. `labels_px`: room for y's labels.
    A legend names the series where there are several, and always with `legend`. `horizontal`: values are on the x axis
    and y's ticks name the rows.
    """

    title: str
    x: Axis
    y: Axis
    series: Sequence[Series]
    levels: Sequence[tuple[str, float]] = ()
    links: Sequence[tuple[Point, Point]] = ()
    value: str = "{:g}"
    unit: str = ""
    height_px: float = 190.0
    labels_px: float = 44.0
    titled: bool = False
    legend: bool = False
    horizontal: bool = False

    @property
    def has_legend(self) -> bool:
        """Whether series are named below the chart."""
        return self.legend or len(self.series) > 1

    @property
    def outer_px(self) -> float:
        """Height of the whole picture."""
        legend = _LEGEND_PX * len(self.series) + 4 if self.has_legend else 0
        return _TOP + (_TITLE_PX if self.titled else 0) + self.height_px + _BELOW_PX + legend


def in_percent(interval: Interval | None) -> Interval | None:
    """An interval of a share as one in per cent."""
    return None if interval is None else Interval(100 * interval.low, 100 * interval.high)


def chart_svg(chart: Chart) -> str:
    """A chart within a page that has CHART_STYLE."""
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH:.0f} {chart.outer_px:.0f}" role="img" '
        f'aria-label="{escape(description(chart))}">{_drawn(chart)}</svg>'
    )


def charts_svg(charts: Sequence[Chart]) -> str:
    """Charts side by side, as the content of an .svg file."""
    width, height = _WIDTH * len(charts), max(chart.outer_px for chart in charts)
    drawn = "".join(
        f'<g transform="translate({_WIDTH * number:.0f} 0)">{_drawn(chart)}</g>' for number, chart in enumerate(charts)
    )
    label = escape("; ".join(description(chart) for chart in charts))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img" aria-label="{label}"><style>{CHART_STYLE}</style>'
        f'<rect class="ground" width="{width:.0f}" height="{height:.0f}"/>{drawn}</svg>\n'
    )


def bar_svg(share: float, interval: Interval | None) -> str:
    """A bar from 0 to 1 with its interval across its end, for a page that has CHART_STYLE; no text of its own."""
    extent = ""
    if interval is not None:
        low, high = 100 * interval.low, 100 * max(interval.high, interval.low)
        ends = "".join(f'<line class="extent" x1="{at:.1f}" x2="{at:.1f}" y1="0.5" y2="9.5"/>' for at in (low, high))
        # The bar is stretched to the cell's width; without this its lines would be stretched with it.
        extent = f'<line class="extent" x1="{low:.1f}" x2="{high:.1f}" y1="5" y2="5"/>{ends}'.replace(
            "/>", ' vector-effect="non-scaling-stroke"/>'
        )
    return (
        '<svg class="chart bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="empty" width="100" height="10"/><rect fill="{_COLOURS[0]}" opacity="0.55" '
        f'width="{100 * share:.1f}" height="10"/>{extent}</svg>'
    )


def description(chart: Chart) -> str:
    """The chart in words: each point, or the ends of each series where there are many."""
    parts = []
    for series in chart.series:
        points = sorted(series.points, key=lambda point: -point.y if chart.horizontal else point.x)
        shown = points if len(points) <= _DESCRIBED_POINTS else [points[0], points[-1]]
        parts.append(", ".join(_described(chart, series, point) for point in shown))
    return f"{chart.title}: {'; '.join(parts)}"


def _described(chart: Chart, series: Series, point: Point) -> str:
    axis, at, value = (chart.y, point.y, point.x) if chart.horizontal else (chart.x, point.x, point.y)
    where = dict(axis.ticks).get(at, f"{at:g}{chart.unit}")
    name = point.label or series.name
    return f"{name}: {chart.value.format(value)} at {where}" if name else f"{where}: {chart.value.format(value)}"


@dataclass(frozen=True)
class _Frame:
    """Where the values of a chart lie on the picture, in its pixels."""

    x: Scale
    y: Scale
    left: float
    top: float
    width: float
    height: float

    @classmethod
    def of(cls, chart: Chart) -> _Frame:
        points = [point for series in chart.series for point in series.points]
        ys = [point.y for point in points] + [level for _, level in chart.levels]
        ys += [end for point in points if point.interval for end in (point.interval.low, point.interval.high)]
        top = _TOP + (_TITLE_PX if chart.titled else 0)
        width = _WIDTH - chart.labels_px - _RIGHT
        x, y = chart.x.scale([point.x for point in points]), chart.y.scale(ys)
        return cls(x, y, chart.labels_px, top, width, chart.height_px)

    def at(self, x: float, y: float) -> tuple[float, float]:
        return self.left + self.width * self.x.share(x), self.top + self.height * (1 - self.y.share(y))


def _drawn(chart: Chart) -> str:
    frame = _Frame.of(chart)
    parts = [*_axes(chart, frame)]
    for begin, end in chart.links:
        (x1, y1), (x2, y2) = frame.at(begin.x, begin.y), frame.at(end.x, end.y)
        parts.append(f'<line class="link" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')
    for number, series in enumerate(chart.series):
        parts += _series(chart, frame, number, series)
    if chart.has_legend:
        for number, series in enumerate(chart.series):
            y = frame.top + frame.height + _BELOW_PX + 10 + _LEGEND_PX * number
            parts.append(_mark(frame.left + 4, y - 4, number, series.hollow))
            parts.append(f'<text class="strong" x="{frame.left + 16}" y="{y:.1f}">{escape(series.name)}</text>')
    return "".join(parts)


def _axes(chart: Chart, frame: _Frame) -> list[str]:
    right, below = frame.left + frame.width, frame.top + frame.height
    parts = [f'<text class="title" x="{frame.left - 30}" y="20">{escape(chart.title)}</text>'] if chart.titled else []
    for tick, label in frame.y.ticks:
        y = frame.top + frame.height * (1 - frame.y.share(tick))
        parts.append(f'<line class="grid" x1="{frame.left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{frame.left - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(label)}</text>')
    last = -math.inf
    for tick, label in frame.x.ticks:
        x = frame.left + frame.width * frame.x.share(tick)
        if x - last > _CLOSEST_LABELS_PX or (chart.x.ticks and not chart.x.log):
            parts.append(f'<text x="{x:.1f}" y="{below + 17:.1f}" text-anchor="middle">{escape(label)}</text>')
            last = x
    for name, level in chart.levels:
        y = frame.top + frame.height * (1 - frame.y.share(level))
        parts.append(f'<line class="level" x1="{frame.left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{frame.left + 4}" y="{y - 5:.1f}">{escape(name)}</text>')
    middle = f'x="{frame.left + frame.width / 2:.1f}" y="{below + 35:.1f}" text-anchor="middle"'
    parts.append(f'<text class="strong" {middle}>{escape(chart.x.title)}</text>')
    return parts


def _series(chart: Chart, frame: _Frame, number: int, series: Series) -> list[str]:
    colour, dashes = _COLOURS[number % len(_COLOURS)], _DASHES[number % len(_DASHES)]
    points = sorted(series.points, key=lambda point: point.x)
    bounded = [(point.x, point.interval) for point in points if point.interval is not None]
    parts = []
    if series.band and bounded:
        upper = [frame.at(x, interval.high) for x, interval in bounded]
        lower = [frame.at(x, interval.low) for x, interval in reversed(bounded)]
        parts.append(f'<polygon class="band" fill="{colour}" points="{_path(upper + lower)}"/>')
    elif bounded:
        for x, interval in bounded:
            (at, high), (_, low) = frame.at(x, interval.high), frame.at(x, interval.low)
            ends = f'x1="{at:.1f}" x2="{at:.1f}" y1="{low:.1f}" y2="{high:.1f}"'
            parts.append(f'<line class="whisker" stroke="{colour}" {ends}/>')
    if series.joined:
        at_x: dict[float, list[float]] = {}
        for point in points:
            at_x.setdefault(point.x, []).append(point.y)
        line = _path([frame.at(x, sum(ys) / len(ys)) for x, ys in at_x.items()])
        parts.append(f'<polyline stroke="{colour}" stroke-dasharray="{dashes}" points="{line}"/>')
    for point in points:
        if series.marked is not None and point.x not in series.marked:
            continue
        x, y = frame.at(point.x, point.y)
        parts.append(_mark(x, y, number, series.hollow, escape(_described(chart, series, point))))
        if point.label:
            parts.append(f'<text class="strong" x="{x + 7:.1f}" y="{y - 6:.1f}">{escape(point.label)}</text>')
    return parts


def _mark(x: float, y: float, number: int, hollow: bool, label: str = "") -> str:
    """A series' marker at (x, y), its title `label`."""
    colour, kind = _COLOURS[number % len(_COLOURS)], _MARKERS[number % len(_MARKERS)]
    look = f'class="mark hollow" stroke="{colour}"' if hollow else f'class="mark" stroke="{colour}" fill="{colour}"'
    title = f"<title>{label}</title>" if label else ""
    if kind == "circle":
        return f'<circle {look} r="3.5" cx="{x:.1f}" cy="{y:.1f}">{title}</circle>'
    corners = {
        "square": ((-3, -3), (3, -3), (3, 3), (-3, 3)),
        "triangle": ((0, -4), (4, 3), (-4, 3)),
        "diamond": ((0, -4.5), (4.5, 0), (0, 4.5), (-4.5, 0)),
        "cross": ((-4, -4), (0, 0), (4, -4), (0, 0), (4, 4), (0, 0), (-4, 4), (0, 0)),
    }[kind]
    return f'<polygon {look} points="{_path([(x + dx, y + dy) for dx, dy in corners])}">{title}</polygon>'


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
