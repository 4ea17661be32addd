"""Shares with their intervals as SVG, one place on the x axis each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from models.evaluation.few_shot.figures import Share

_LEFT, _TOP, _WIDTH, _HEIGHT = 40.0, 12.0, 356.0, 180.0
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
_MOST_LINES = 6

PLOT_STYLE = """
.curve .whisker { stroke: var(--accent); stroke-width: 1.5; opacity: 0.55; }
.curve .level { stroke: var(--muted); stroke-width: 1.5; stroke-dasharray: 5 4; }
.curve .axis { fill: var(--ink); }
.curve .between { stroke: var(--accent); stroke-width: 1.5; opacity: 0.45; }
.curve .full { fill: var(--accent); }
.curve .plain { fill: var(--surface); stroke: var(--muted); stroke-width: 2; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 420px), 1fr)); gap: 20px; }
.scroll { overflow-x: auto; }
.methods { width: 100%; border-collapse: collapse; }
.methods th, .methods td {
  padding: 7px 10px; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap;
}
.methods th:first-child { text-align: left; }
.methods thead th { color: var(--muted); font-size: 13px; font-weight: 400; vertical-align: bottom; }
.methods td small { display: block; color: var(--muted); font-size: 12.5px; }
.methods .gain { color: var(--right); }
.methods .loss { color: var(--missed); }
"""


@dataclass(frozen=True)
class Plot:
    """`points`: label on the x axis and share, from left to right. `levels`: dashed lines, with their names.

    `joined`: whether the x axis is an order, so that a line through the points means something. `signed`: whether they
    are differences, in points.
    """

    title: str
    axis: str
    points: Sequence[tuple[str, Share]]
    levels: Sequence[tuple[str, float]] = ()
    joined: bool = True
    signed: bool = False


def plot(shown: Plot) -> str:
    """An SVG in per cent or points. The axis begins where the values do, not at zero: whiskers say what is certain."""
    low, high, step = _range(shown)

    def y(share: float) -> float:
        return _TOP + _HEIGHT * (high - share) / (high - low)

    def x(number: int) -> float:
        return _LEFT + _WIDTH * (number + 0.5) / len(shown.points)

    parts = []
    for tick in range(round((high - low) / step) + 1):
        line = y(low + tick * step)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{line:.1f}" y2="{line:.1f}"/>')
        label = f"{100 * (low + tick * step):{'+' if shown.signed else ''}.0f}"
        parts.append(f'<text x="{_LEFT - 6}" y="{line + 4:.1f}" text-anchor="end">{label}</text>')
    for name, level in shown.levels:
        parts.append(
            f'<line class="level" x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{y(level):.1f}" y2="{y(level):.1f}"/>'
        )
        parts.append(f'<text x="{_LEFT + 4}" y="{y(level) - 5:.1f}">{escape(name)}</text>')
    if shown.joined:
        drawn = " ".join(f"{x(number):.1f},{y(share.value):.1f}" for number, (_, share) in enumerate(shown.points))
        parts.append(f'<polyline points="{drawn}"/>')
    for number, (label, share) in enumerate(shown.points):
        at = f"{x(number):.1f}"
        if share.interval is not None:
            ends = f'y1="{y(share.interval.low):.1f}" y2="{y(share.interval.high):.1f}"'
            parts.append(f'<line class="whisker" x1="{at}" x2="{at}" {ends}/>')
        told = f"{escape(label)}: {_told(shown, share)}"
        parts.append(f'<circle r="4" cx="{at}" cy="{y(share.value):.1f}"><title>{told}</title></circle>')
        parts.append(f'<text x="{at}" y="{_TOP + _HEIGHT + 17}" text-anchor="middle">{escape(label)}</text>')
    parts.append(
        f'<text class="axis" x="{_LEFT + _WIDTH / 2}" y="{_TOP + _HEIGHT + 36}" text-anchor="middle">'
        f"{escape(shown.axis)}</text>"
    )
    said = f"{shown.title}: " + ", ".join(f"{label} {_told(shown, share)}" for label, share in shown.points)
    return f'<svg class="curve" viewBox="0 0 400 236" role="img" aria-label="{escape(said)}">{"".join(parts)}</svg>'


def _told(shown: Plot, share: Share) -> str:
    return f"{100 * share.value:+.1f} points" if shown.signed else f"{100 * share.value:.1f} %"


def _range(shown: Plot) -> tuple[float, float, float]:
    """Round ends around all values and their intervals, and the step between lines."""
    ends = [level for _, level in shown.levels]
    for _, share in shown.points:
        ends += [share.value] if share.interval is None else [share.interval.low, share.interval.high]
    low, high = min(ends), max(ends)
    step = next((step for step in _STEPS if (high - low) / step <= _MOST_LINES - 2), _STEPS[-1])
    first, last = math.floor(low / step), max(math.ceil(high / step), math.floor(low / step) + 1)
    return first * step, last * step, step


def change_plot(names: Sequence[str], before: Sequence[float], after: Sequence[float]) -> str:
    """acc@1 of each task before and after, one row each, those that gain most first: SVG."""
    order = sorted(range(len(names)), key=lambda number: before[number] - after[number])
    row, left, width = 20.0, 120.0, 250.0
    height = row * len(names) + 34

    def x(share: float) -> float:
        return left + width * share

    parts = []
    for tick in range(5):
        at = f"{x(tick / 4):.1f}"
        parts.append(f'<line class="grid" x1="{at}" x2="{at}" y1="6" y2="{height - 24:.1f}"/>')
        parts.append(f'<text x="{at}" y="{height - 8:.1f}" text-anchor="middle">{25 * tick}</text>')
    for place, number in enumerate(order):
        y = 16 + row * place
        told = f"{escape(names[number])}: {100 * before[number]:.1f} % before, {100 * after[number]:.1f} % after"
        parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(names[number])}</text>')
        parts.append(
            f'<line class="between" x1="{x(before[number]):.1f}" x2="{x(after[number]):.1f}" y1="{y}" y2="{y}"/>'
        )
        parts.append(f'<circle class="plain" r="3.5" cx="{x(before[number]):.1f}" cy="{y}"/>')
        parts.append(f'<circle class="full" r="4" cx="{x(after[number]):.1f}" cy="{y}"><title>{told}</title></circle>')
    return (
        f'<svg class="curve" viewBox="0 0 400 {height:.0f}" role="img" aria-label="acc@1 before and after">'
        f"{''.join(parts)}</svg>"
    )
