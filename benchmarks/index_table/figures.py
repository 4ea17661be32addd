"""The tables in Markdown: of the engines, and of recall on sketches, drawings and photos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def markdown(tables: Mapping[int, Sequence[Mapping[str, Any]]]) -> str:
    """One section for each number of photos."""
    return "\n\n".join(section(size, rows) for size, rows in tables.items())


def section(size: int, rows: Sequence[Mapping[str, Any]]) -> str:
    """Engines by setting, recall and cost, and the curves of those that have one."""
    lines = [
        f"## {size:,} photos",
        "",
        "| engine | setting | recall@10 | ms, median | CPU ms | index bytes per photo | build, CPU s |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['name']} | {row['setting']} | {row['recall']:.4f} | {row['ms_p50']:.2f} | {row['cpu_ms']:.2f} "
        f"| {row['bytes_per_photo']:,} | {row['build_cpu_s']:,.0f} |"
        for row in rows
    ]
    lines += ["", "| kind | setting | on sketches | on drawings | on photos |", "|---|---|---|---|---|"]
    lines += [
        f"| {row['name']} | {step['setting']} | {step['sketches']:.4f} | {step['drawings']:.4f} "
        f"| {step['photos']:.4f} |"
        for row in rows
        for step in row.get("curve", ())
    ]
    return "\n".join(lines)
