"""CSS that browsers draw and renderers of SVG alone do not know: rewritten where that is exact, named where it is not.

A renderer drops what it does not know, and draws another picture: lines without their colour, or in another place.
"""

from __future__ import annotations

import math
import re

from models.images import ImageUnsupported

_ANY = r"(?:[^(),]|\([^()]{0,200}\)){1,200}"
_LIGHT_DARK = re.compile(rf"light-dark\(\s*({_ANY}),{_ANY}\)")
_UNKNOWN = re.compile(
    r"(?<![\w-])(oklch|oklab|lch|lab|hwb|color|color-mix|light-dark|calc|min|max|clamp|env)\(", re.IGNORECASE
)
_KEYFRAMES = re.compile(r"@[\w-]*keyframes[^{]{0,200}\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")
_TRANSFORM = re.compile(r"(?:^|(?<=[;{\s]))transform\s*:\s*([^;}]*);?")
_ORIGIN = re.compile(r"(?:^|(?<=[;{\s]))(transform-origin|transform-box|rotate|scale|translate|offset-path)\s*:")
_FUNCTION = re.compile(r"\s*([a-zA-Z0-9]+)\(([^()]*)\)")
_NUMBER = re.compile(r"^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(px|deg|rad|turn|grad)?\s*$", re.IGNORECASE)
_DEGREES = {"deg": 1.0, "rad": 180 / math.pi, "turn": 360.0, "grad": 0.9}
# Functions of CSS -> the same as an attribute, with the numbers in place of {}.
_AS_ATTRIBUTE = {
    "matrix": "matrix({})",
    "translate": "translate({})",
    "translatex": "translate({} 0)",
    "translatey": "translate(0 {})",
    "scale": "scale({})",
    "scalex": "scale({} 1)",
    "scaley": "scale(1 {})",
    "rotate": "rotate({})",
    "skewx": "skewX({})",
    "skewy": "skewY({})",
}


def light_colours(text: str) -> str:
    """Each `light-dark(a, b)` as its first colour: sketches are on paper."""
    return _LIGHT_DARK.sub(r"\1", text) if "light-dark(" in text else text


def check_functions(where: str, value: str) -> None:
    """Raises ImageUnsupported for a function of CSS whose value a renderer does not know."""
    if found := _UNKNOWN.search(value):
        raise ImageUnsupported(f"{where} uses {found[1]}() of CSS, which is not drawn: write a plain colour or number")


def check_sheet(text: str) -> None:
    """Raises ImageUnsupported where a style sheet moves what is drawn, other than in an animation."""
    check_functions("the SVG's style sheet", text)
    rules = _KEYFRAMES.sub("", text)
    moved = _TRANSFORM.search(rules)
    if moved and moved[1].strip() not in ("none", ""):
        raise ImageUnsupported("the SVG's style sheet sets transform, which is not drawn: write it as an attribute")


def transform_of(name: str, style: str) -> tuple[str, str | None]:
    """A style without its transform, and that as the attribute, which it goes before; None where it has none.

    Raises ImageUnsupported for one that has no such form.
    """
    found = _TRANSFORM.search(style)
    if found is None or found[1].strip() in ("none", ""):
        return style, None
    if origin := _ORIGIN.search(style):
        raise ImageUnsupported(f"<{name} style> sets {origin[1]}, which is not drawn: use the attribute transform")
    return _TRANSFORM.sub("", style), _as_attribute(name, found[1])


def _as_attribute(name: str, value: str) -> str:
    written, end = [], 0
    for function in _FUNCTION.finditer(value):
        template = _AS_ATTRIBUTE.get(function[1].lower())
        numbers = [_number(part) for part in re.split(r"[,\s]+", function[2].strip())]
        if template is None or None in numbers or function.start() != end:
            break
        written.append(template.format(" ".join(map(str, numbers))))
        end = function.end()
    if not written or value[end:].replace("!important", "").strip():
        raise ImageUnsupported(f"<{name} style> sets transform: {value.strip()[:60]}, which is not drawn")
    return " ".join(written)


def _number(text: str) -> float | None:
    found = _NUMBER.match(text)
    return None if found is None else float(found[1]) * _DEGREES.get((found[2] or "").lower(), 1.0)
