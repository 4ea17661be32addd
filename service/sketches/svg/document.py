"""An SVG document read and written anew: what a drawing needs, with entities, encodings and variables resolved.

What shows or fetches something else, or makes a renderer repeat itself, is rejected by its name. Scripts, texts,
metadata and editors' own elements are left out: nothing runs, and no font is loaded.
"""

from __future__ import annotations

import re
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from models.images import ImageTooLarge, ImageUnreadable, ImageUnsupported
from service.sketches.svg.css import check_functions, check_sheet, light_colours, transform_of
from service.sketches.svg.text import decoded_text, without_variables
from service.sketches.svg.uses import UseGraph

_MAX_ELEMENTS = 20_000
_MAX_DEPTH = 100
_MAX_ENTITIES = 64
_MAX_ENTITY_CHARACTERS = 10_000
_MAX_CHARACTERS = 4 * 2**20  # of what entities and variables make of two megabytes
_SVG = "http://www.w3.org/2000/svg"

# They show or fetch what is not drawn here.
_OUTSIDE = frozenset(("image", "feimage", "foreignobject", "iframe"))
# A line on paper has none of them, and a renderer can be kept busy for minutes with each.
_EFFECTS = frozenset(("filter", "pattern", "mask"))
# Neither shown nor of use to what is.
_LEFT_OUT = frozenset(
    ("script", "text", "metadata", "title", "desc", "animate", "animatetransform", "animatemotion", "set")
)
_EFFECT_PROPERTY = re.compile(r"(?:^|[;{\s])(filter|mask)\s*:\s*(?!none\b|inherit\b|initial\b)", re.IGNORECASE)
_VALUES = frozenset(
    ("fill", "stroke", "color", "stop-color", "stroke-width", "opacity", "stroke-dasharray", "r", "x", "y")
)
_HIDDEN_ATTRIBUTES = ("font-family", "font")


def read_document(data: bytes) -> str:
    """The bytes of an SVG -> the same drawing as a document without DTD, entities, variables and what is left out.

    Raises ImageUnsupported, ImageUnreadable, ImageTooLarge.
    """
    text = light_colours(without_variables(decoded_text(data), _MAX_CHARACTERS))
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    parser.EntityDeclHandler = reader.entity
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        raise ImageUnreadable(f"the SVG is not well-formed XML: {error}") from error
    except (LookupError, ValueError) as error:
        raise ImageUnreadable(f"the SVG cannot be read: {error}") from error
    reader.uses.check(_MAX_ELEMENTS)
    return "".join(reader.written)


class _Reader:
    """Handlers of expat, which has entities expanded by then; `written` is the document anew."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.uses = UseGraph()
        self._prefixes = {""}
        self._elements = 0
        self._depth = 0
        self._left_out_at: int | None = None
        self._in_style = False
        self._sheet: list[str] = []
        self._entities = 0
        self._characters = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        # Documents choose their own namespace prefixes, so only the local name tells.
        prefix, _, local = name.rpartition(":")
        local = local.lower()
        if self._elements == 0 and local != "svg":
            raise ImageUnsupported(f"markup whose root is <{name[:40]}> is no sketch; <svg> is expected")
        if self._elements == 0:
            self._prefixes = {"", prefix}
        self._elements += 1
        self._depth += 1
        if self._elements > _MAX_ELEMENTS or self._depth > _MAX_DEPTH:
            raise ImageTooLarge(f"the SVG has more than {_MAX_ELEMENTS:,} elements or {_MAX_DEPTH} levels")
        if self._left_out_at is not None:
            return
        # What an editor keeps for itself stands beside the drawing, for readers of that extension alone.
        is_extension = local == "foreignobject" and "requiredExtensions" in attributes
        if not is_extension:
            _check_name(name, local)
        if local in _LEFT_OUT or prefix not in self._prefixes or is_extension:
            self._left_out_at = self._depth
            return
        for attribute, value in attributes.items():
            _check_attribute(name, local, attribute, value)
        self.uses.open(local, attributes)
        self._in_style = local == "style"
        attributes = _with_transform(name, attributes)
        kept = (f" {key}={quoteattr(value)}" for key, value in attributes.items() if key not in _HIDDEN_ATTRIBUTES)
        self._write(f"<{name}{''.join(kept)}{self._namespace(prefix, attributes)}>")

    def end(self, name: str) -> None:
        if self._left_out_at is None:
            self.uses.close()
            self._write_sheet()
            self._write(f"</{name}>")
            self._in_style = False
        elif self._left_out_at == self._depth:
            self._left_out_at = None
        self._depth -= 1

    def characters(self, text: str) -> None:
        # Of text, only style sheets say how something looks.
        if not self._in_style or self._left_out_at is not None:
            return
        self._count(text)
        self._sheet.append(text)

    def _write_sheet(self) -> None:
        text, self._sheet = "".join(self._sheet), []
        if found := _EFFECT_PROPERTY.search(text):
            raise ImageUnsupported(f"the SVG's style sheet sets {found[1]}: effects are not rendered")
        check_sheet(text)
        self._write(escape(text))

    def entity(
        self,
        name: str,
        is_parameter: bool,
        value: str | None,
        base: str | None,
        system_id: str | None,
        public_id: str | None,
        notation: str | None,
    ) -> None:
        if value is None or is_parameter:
            raise ImageUnsupported(f"the SVG's entity {name[:40]!r} refers to something outside of the document")
        self._entities += 1
        if self._entities > _MAX_ENTITIES or len(value) > _MAX_ENTITY_CHARACTERS:
            raise ImageTooLarge(
                f"the SVG declares more than {_MAX_ENTITIES} entities, or one of {_MAX_ENTITY_CHARACTERS:,} characters"
            )

    def _namespace(self, prefix: str, attributes: dict[str, str]) -> str:
        """Says that the root is SVG where the document does not: browsers then show nothing, but it is clear."""
        declared = f"xmlns:{prefix}" if prefix else "xmlns"
        return f" {declared}={quoteattr(_SVG)}" if self._elements == 1 and declared not in attributes else ""

    def _write(self, text: str) -> None:
        self._count(text)
        self.written.append(text)

    def _count(self, text: str) -> None:
        self._characters += len(text)
        if self._characters > _MAX_CHARACTERS:
            raise ImageTooLarge(f"the SVG has more than {_MAX_CHARACTERS:,} characters once its entities are expanded")


def _check_name(name: str, local: str) -> None:
    if local in _OUTSIDE:
        raise ImageUnsupported(f"the SVG holds <{name}>: only what is drawn in the SVG itself is accepted")
    if local in _EFFECTS:
        raise ImageUnsupported(f"the SVG holds <{name}>: a drawing needs no effects, and they are not rendered")


def _with_transform(name: str, attributes: dict[str, str]) -> dict[str, str]:
    if "transform" not in attributes.get("style", ""):
        return attributes
    style, transform = transform_of(name, attributes["style"])
    return {**attributes, "style": style, **({"transform": transform} if transform else {})}


def _check_attribute(name: str, local: str, attribute: str, value: str) -> None:
    own = attribute.rpartition(":")[2].lower()
    if own == "href" and local != "a" and not value.startswith("#"):
        raise ImageUnsupported(f"<{name} {attribute}> refers to something outside of the SVG")
    if own in _EFFECTS and value.strip().lower() not in ("none", "inherit", ""):
        raise ImageUnsupported(f"<{name} {attribute}>: a drawing needs no effects, and they are not rendered")
    if "(" in value and (own == "style" or own in _VALUES):
        check_functions(f"<{name} {attribute}>", value)
    if own == "style" and (found := _EFFECT_PROPERTY.search(value)):
        raise ImageUnsupported(f"<{name} style> sets {found[1]}: a drawing needs no effects, and they are not rendered")
