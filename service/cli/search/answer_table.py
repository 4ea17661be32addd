"""An answer to a sketch as a table for the terminal."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from service.http.schemas.answers import SearchAnswer


def answer_table(answer: SearchAnswer) -> Table:
    """One row a photo, best first."""
    table = Table("#", "score", "confidence", "category", "photo", "")
    for hit in answer.results:
        marks = ["mirrored"] if hit.mirrored else []
        marks += [f"+{len(hit.duplicates)} alike"] if hit.duplicates else []
        sure = "" if hit.confidence is None else f"{100 * hit.confidence:.0f} %"
        table.add_row(
            str(hit.rank), f"{hit.score:.3f}", sure, escape(hit.category), escape(hit.photo_id), ", ".join(marks)
        )
    return table


def answer_summary(answer: SearchAnswer) -> str:
    """How long it took, and which adapters, bundle and index it comes from."""
    applied = "".join(f", {adapter_id}" for adapter_id in (answer.adapter_id, answer.style_adapter_id) if adapter_id)
    return f"{answer.timings_ms.total:.0f} ms{applied}, bundle {answer.bundle_id}, index {answer.index_version}"
