"""The charts of a few-shot report: shares with their intervals, and each task before and after adaptation."""

from __future__ import annotations

from collections.abc import Sequence

from models.evaluation.few_shot.figures import Share
from models.evaluation.report.axes import Axis
from models.evaluation.report.charts import Chart, Point, Series, in_percent

_ROW_PX = 20.0


def share_chart(
    title: str,
    axis: str,
    shares: Sequence[tuple[str, Share]],
    levels: Sequence[tuple[str, float]] = (),
    *,
    joined: bool = True,
) -> Chart:
    """Differences of shares in points, from left to right by their labels; `levels` are shares of dashed lines.

    `joined`: whether the labels are in an order, so that a line through the points means something. The axis begins
    where the values do, not at zero: the intervals say what is certain.
    """
    points = [Point(n, 100 * share.value, in_percent(share.interval)) for n, (_, share) in enumerate(shares)]
    ticks = [(number, label) for number, (label, _) in enumerate(shares)]
    return Chart(
        title=title,
        x=Axis(axis, ticks=ticks, margin=0.5 / len(shares)),
        y=Axis(signed=True),
        series=[Series("", points, joined=joined)],
        levels=[(name, 100 * level) for name, level in levels],
        value="{:+.1f} points",
    )


def change_chart(names: Sequence[str], before: Sequence[float], after: Sequence[float]) -> Chart:
    """acc@1 of each task before and after, shares in [0, 1]; one row per task, those that gain most on top."""
    order = sorted(range(len(names)), key=lambda number: before[number] - after[number])
    rows = [(-place, names[number]) for place, number in enumerate(order)]
    old = [Point(100 * before[number], -place) for place, number in enumerate(order)]
    new = [Point(100 * after[number], -place) for place, number in enumerate(order)]
    return Chart(
        title="acc@1 in per cent, before and after",
        x=Axis("acc@1 in per cent", include=(0, 100)),
        y=Axis(ticks=rows, margin=0.5 / len(names)),
        series=[Series("before", old, joined=False, hollow=True), Series("after", new, joined=False)],
        links=list(zip(old, new, strict=True)),
        height_px=_ROW_PX * len(names),
        labels_px=120.0,
        horizontal=True,
        value="{:.1f} %",
    )
