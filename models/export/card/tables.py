"""Tables of a model card: figures of splits, and of evaluations that `inkseek evaluate --json` printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models.errors import InkseekError


class EvaluationUnfit(InkseekError):
    """A file is no evaluation's JSON document, or one of another bundle."""


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown; a bar in a cell would end it, so it is escaped."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def split_table(splits: Mapping[str, Any]) -> str:
    """The `splits` of a manifest's metrics; intervals where they were measured."""
    rows = []
    for name, plain in splits.items():
        intervals = plain.get("intervals") or {}
        cells = [
            _share(figures[figure], (intervals.get(scored) or {}).get(figure))
            for scored, figures in (("centred", plain["centred"]), ("plain", plain))
            for figure in ("acc_at_1", "acc_at_10")
        ]
        rows.append((name, f"{plain['queries']:,}", f"{plain['photos']:,}", *cells))
    heading = ("split", "sketches", "photos", "acc@1, served", "acc@10, served", "acc@1, plain", "acc@10, plain")
    return table(heading, rows)


def evaluation_table(document: Mapping[str, Any]) -> str:
    """A document of `inkseek evaluate` or of `inkseek evaluate-kinds`. Raises EvaluationUnfit for another."""
    try:
        return _kinds(document) if "kinds" in document else _searches(document)
    except (KeyError, TypeError, ValueError) as error:
        raise EvaluationUnfit(f"no document of `inkseek evaluate` or `evaluate-kinds`: {error}") from error


def _searches(document: Mapping[str, Any]) -> str:
    rows = []
    for name, split in document["splits"].items():
        served = split["served"]
        intervals = served.get("intervals") or {}
        cells = [_share(served[figure], intervals.get(figure)) for figure in ("acc_at_1", "acc_at_5", "acc_at_10")]
        rows.append((name, f"{served['queries']:,}", f"{served['photos']:,}", *cells, _share(split["chance_at_1"])))
    among = "the sketch's own category" if document["protocol"] == "category" else "all photos of the split"
    both = ", each sketch both ways round" if document.get("mirror") else ""
    heading = ("split", "sketches", "photos", "acc@1", "acc@5", "acc@10", "acc@1 at chance level")
    return f"{document['data']}, searched among {among}{both}; per cent, 95 % intervals over photos:\n\n" + table(
        heading, rows
    )


def _kinds(document: Mapping[str, Any]) -> str:
    found = {name: value for name, value in document.items() if name.startswith("kind_at_")}
    cells = [_share(value["share"], value["interval"]) for value in found.values()]
    heading = ["drawings", "kinds", "photos", *("first" if n == "kind_at_1" else f"in {n[8:]}" for n in found)]
    row = (f"{document['drawings']:,}", f"{document['kinds']:,}", f"{document['photos']:,}", *cells)
    chance = ", ".join(f"{100 * value['chance']:.1f}" for value in found.values())
    return (
        f"Drawings of {document['data']}, kinds searched in {document['gallery']}; per cent, 95 % intervals over "
        f"kinds, at chance level {chance}:\n\n{table(heading, [row])}"
    )


def _share(value: float, interval: Any = None) -> str:
    """`53.5 (45.4 to 61.8)`, in per cent; `interval` as [low, high] or as {low, high}."""
    if not interval:
        return f"{100 * value:.1f}"
    low, high = (interval["low"], interval["high"]) if isinstance(interval, Mapping) else interval
    return f"{100 * value:.1f} ({100 * low:.1f} to {100 * high:.1f})"
