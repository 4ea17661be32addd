"""Two bundles on the same queries, as HTML."""

from __future__ import annotations

from html import escape

from models.evaluation.paired import Difference, Paired

_LABELS = {"acc_at_1": "acc@1", "acc_at_5": "acc@5", "acc_at_10": "acc@10", "mean_average_precision": "mAP"}


def comparison(other: str, pair: Paired) -> str:
    """A section: the differences with their intervals, and who found what first."""
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
        f'<section class="against"><h3>Less {escape(other)}</h3><p class="hint">On the same sketches, query by query. '
        f"Found first by both: {pair.both:,}; by this one alone: {pair.only_this:,}; by the other alone: "
        f'{pair.only_other:,}; by neither: {pair.neither:,}.</p><dl class="tiles">{tiles}</dl></section>'
    )


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def _between(difference: Difference) -> str:
    if difference.interval is None:
        return "no interval"
    return f"{_points(difference.interval.low)} to {_points(difference.interval.high)}"
