"""Mermaid blocks as pictures: a forge draws them in the browser, the site brings no script for it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

_BLOCK = re.compile(r"^```mermaid\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
THEMES = {
    "light": {
        "primaryColor": "#e7eafa",
        "primaryTextColor": "#1d1b18",
        "primaryBorderColor": "#2c47c5",
        "lineColor": "#655f55",
        "clusterBkg": "#efebe1",
        "clusterBorder": "#e3ddd0",
        "titleColor": "#1d1b18",
    },
    "dark": {
        "primaryColor": "#2b304d",
        "primaryTextColor": "#f2efe8",
        "primaryBorderColor": "#a9b8ff",
        "lineColor": "#aca598",
        "clusterBkg": "#1d1c19",
        "clusterBorder": "#35322d",
        "titleColor": "#f2efe8",
    },
}
"""The colours of the drawing page, in both of its schemes."""


def drawn(text: str, stem: str, write: Callable[[str, str], None]) -> str:
    """The page with two pictures, light and dark, in place of each Mermaid block; `write(name, svg)` keeps them.

    Where the renderer has no wheel for the machine, the block stays as text.
    """
    if find_spec("merman") is None:
        return text
    number = 0

    def pictures(block: re.Match[str]) -> str:
        nonlocal number
        number += 1
        lines = []
        for scheme, colours in THEMES.items():
            name = f"{stem}_{number}_{scheme}.svg"
            write(name, _svg(block[1], colours))
            lines.append(f"[![The diagram of this section]({name}#only-{scheme}){{: .diagram }}]({name})\n")
        return "\n".join(lines)

    return _BLOCK.sub(pictures, text)


def _svg(source: str, colours: dict[str, str]) -> str:
    options: dict[str, object] = {
        "theme": "base",
        "themeVariables": {**colours, "fontFamily": "system-ui, sans-serif"},
        "htmlLabels": False,
        "flowchart": {"htmlLabels": False},
    }
    renderer = import_module("merman").Merman()
    return str(renderer.render_svg(f"%%{{init: {json.dumps(options)}}}%%\n{source}", None))
