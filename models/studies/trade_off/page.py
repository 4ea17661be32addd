"""The trade-off as a page: a table, and acc@1 against time and against size."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

from models.evaluation.report.style import STYLE
from models.studies.trade_off.standing import Standing, headings

_LEFT, _TOP, _WIDTH, _HEIGHT = 40.0, 12.0, 340.0, 190.0
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_STEPS = (1, 2, 5, 10, 20)
_MORE_STYLE = """
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 420px), 1fr)); gap: 20px; }
.curve .axis, .curve .letter { fill: var(--ink); }
.curve circle { fill: var(--accent); }
.scroll { overflow-x: auto; }
.standings { width: 100%; border-collapse: collapse; }
.standings th, .standings td { padding: 7px 10px; border-bottom: 1px solid var(--line); text-align: right; }
.standings :is(th, td):nth-child(2) { text-align: left; }
.standings thead th { color: var(--muted); font-size: 13px; font-weight: 400; }
"""


def trade_off_page(rows: Sequence[Standing]) -> str:
    """A whole HTML document without scripts. At most as many rows as there are letters."""
    lettered = list(zip(_LETTERS, rows, strict=False))
    body = "".join(
        f"<tr><td><b>{letter}</b></td>{''.join(f'<td>{escape(cell)}</td>' for cell in row.cells)}</tr>"
        for letter, row in lettered
    )
    head = "".join(f"<th>{escape(name)}</th>" for name in ("", *headings(rows)))
    plots = (
        _plot(lettered, lambda row: row.sketch_ms, "CPU milliseconds a sketch, one thread")
        + _plot(lettered, lambda row: row.megabytes, "megabytes of both encoders")
    )  # fmt: skip
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Accuracy against cost</title><style>{STYLE}{_MORE_STYLE}</style></head><body><main>
<header><h1>Accuracy against cost</h1><p class="lead">Every sketch searched among its category's photos; figures from
the bundles' manifests, measured through their files. Cost: of the sketch encoder, over the first bundle's.</p></header>
<section><div class="scroll"><table class="standings"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>
</section><section class="plots">{plots}</section></main></body></html>
"""


def _plot(lettered: Sequence[tuple[str, Standing]], cost: Callable[[Standing], float], axis: str) -> str:
    """Mean acc@1 in percent over a cost on a logarithmic axis, a letter a bundle: SVG."""
    low, high, step = _ends([100 * row.mean for _, row in lettered])
    logs = [math.log2(cost(row)) for _, row in lettered]
    left, right = math.floor(min(logs) - 0.2), math.ceil(max(logs) + 0.2)

    def x(value: float) -> float:
        return _LEFT + _WIDTH * (math.log2(value) - left) / (right - left)

    def y(percent: float) -> float:
        return _TOP + _HEIGHT * (high - percent) / (high - low)

    parts = []
    for percent in range(low, high + 1, step):
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{y(percent):.1f}" y2="{y(percent):.1f}"/>'
            f'<text x="{_LEFT - 6}" y="{y(percent) + 4:.1f}" text-anchor="end">{percent}</text>'
        )
    for power in range(left, right + 1):
        tick = 2.0**power
        parts.append(f'<text x="{x(tick):.1f}" y="{_TOP + _HEIGHT + 17}" text-anchor="middle">{tick:g}</text>')
    for letter, row in lettered:
        at = x(cost(row)), y(100 * row.mean)
        told = f"{escape(row.name)}: {100 * row.mean:.1f} % at {cost(row):.1f}"
        parts.append(f'<circle r="4" cx="{at[0]:.1f}" cy="{at[1]:.1f}"><title>{told}</title></circle>')
        parts.append(f'<text class="letter" x="{at[0] + 7:.1f}" y="{at[1] - 6:.1f}">{letter}</text>')
    parts.append(
        f'<text class="axis" x="{_LEFT + _WIDTH / 2}" y="{_TOP + _HEIGHT + 36}" text-anchor="middle">{axis}</text>'
    )
    said = ", ".join(f"{letter} {100 * row.mean:.1f} % at {cost(row):.1f}" for letter, row in lettered)
    return (
        f'<svg class="curve" viewBox="0 0 400 246" role="img" aria-label="mean acc@1 over {axis}: {escape(said)}">'
        f"{''.join(parts)}</svg>"
    )


def _ends(percents: Sequence[float]) -> tuple[int, int, int]:
    """Whole numbers around all values, and the step between lines."""
    step = next((step for step in _STEPS if (max(percents) - min(percents)) / step <= 4), _STEPS[-1])
    low = step * math.floor(min(percents) / step)
    return low, max(step * math.ceil(max(percents) / step), low + step), step
