"""The figures of all rounds as tables in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

Figures = Mapping[str, Mapping[str, Sequence[float]]]

_COLUMNS = {
    "p50_ms": "p50, one client, ms",
    "saturation_per_s": "saturation, answers/s",
    "cpu_ms": "CPU per answer, ms",
    "p50_at_80_ms": "p50 at 80 %, ms",
    "p99_at_80_ms": "p99 at 80 %, ms",
}
_OVERLOADS = (3, 10)


def markdown(figures: Figures) -> str:
    """A row per server: the median over rounds, and the least and the most; then what overload did to each Inkseek."""
    lines = [f"| server, processes | {' | '.join(_COLUMNS.values())} |", "|---" + "|---:" * len(_COLUMNS) + "|"]
    for server, values in figures.items():
        lines.append(f"| {server} | {' | '.join(_cell(values.get(name, ())) for name in _COLUMNS)} |")
    lines += [""]
    for server, values in figures.items():
        for times in _OVERLOADS:
            if goodput := values.get(f"goodput_{times}x"):
                offered, others = values[f"offered_{times}x"], values[f"others_{times}x"]
                lines.append(
                    f"- {server}, at {times} times its saturation (answered in all: {median(offered):.1f} times): "
                    f"goodput {_cell(goodput)} of the saturation; answers other than 200 and 429: {max(others):.0f}."
                )
    return "\n".join(lines)


def _cell(values: Sequence[float]) -> str:
    return f"{median(values):.2f} ({min(values):.2f} … {max(values):.2f})" if values else ""
