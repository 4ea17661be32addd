"""What every report is built into: one HTML document with one style, no scripts, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from models.evaluation.report.charts import CHART_STYLE
from models.evaluation.report.style import STYLE


def html_document(heading: str, body: Sequence[str], *, title: str = "", style: str = "", header: str = "") -> str:
    """The document with `heading` on top, `header` below it, then the parts of `body`.

    `heading` and `title` are text; `header` and `body` are HTML, `style` CSS, and their callers have escaped them.
    """
    parts = [f"<header><h1>{escape(heading)}</h1>{header}</header>", *(part for part in body if part)]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title or heading)}</title>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>\n{STYLE}\n{CHART_STYLE}\n{style}\n</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def facts_list(facts: Sequence[tuple[str, str]]) -> str:
    """Names and values as a list of terms: what was measured, with what, when."""
    listed = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)
    return f'<dl class="facts">{listed}</dl>'
