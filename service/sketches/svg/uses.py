"""How much a document draws once every `use` is carried out: a few lines can stand for millions of elements."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.images import ImageTooLarge, ImageUnsupported

_MAX_NESTED = 8  # uses within uses; symbols of symbols have two or three
_DEFINITIONS = frozenset(("defs", "symbol", "clippath", "lineargradient", "radialgradient", "marker"))
_MAX_STEPS = 200  # levels and uses on the way to what is drawn


@dataclass
class _Node:
    """What an element holds: children by position, and the id that it draws once more where it is a `use`.

    What is not `shown` is drawn where a `use` refers to it, and nowhere else.
    """

    children: list[int] = field(default_factory=list)
    target: str | None = None
    shown: bool = True


class UseGraph:
    """Elements with what they draw once more, filled while a document is read."""

    def __init__(self) -> None:
        """An empty document."""
        self._nodes: list[_Node] = []
        self._open: list[int] = []
        self._by_id: dict[str, int] = {}
        self._uses = 0

    def open(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins; `name` in small letters, without a prefix."""
        is_use = name == "use"
        number = len(self._nodes)
        href = attributes.get("href") or attributes.get("xlink:href") or ""
        self._nodes.append(_Node(target=href[1:] if is_use else None, shown=name not in _DEFINITIONS))
        self._uses += is_use
        if self._open:
            self._nodes[self._open[-1]].children.append(number)
        if "id" in attributes:
            self._by_id.setdefault(attributes["id"], number)
        self._open.append(number)

    def close(self) -> None:
        """The element that began last ends."""
        self._open.pop()

    def check(self, max_elements: int) -> None:
        """Raises ImageTooLarge for more elements than that once they are all drawn, ImageUnsupported for a circle."""
        if not self._uses:
            return
        drawn: dict[int, int] = {}
        depth: dict[int, int] = {}
        # Children come after their parents, so the last ones first; what a use shows may stand anywhere.
        for number in reversed(range(len(self._nodes))):
            self._measure(number, drawn, depth, frozenset())
        if drawn[0] > max_elements:
            raise ImageTooLarge(f"the SVG draws {drawn[0]:,} elements by <use>; at most {max_elements:,} are rendered")
        if depth[0] > _MAX_NESTED:
            raise ImageTooLarge(f"the SVG nests <use> {depth[0]} deep; at most {_MAX_NESTED} are rendered")

    def _measure(self, number: int, drawn: dict[int, int], depth: dict[int, int], above: frozenset[int]) -> None:
        if number in drawn:
            return
        if number in above:
            raise ImageUnsupported("the SVG draws an element within itself by <use>")
        if len(above) > _MAX_STEPS:
            raise ImageTooLarge(f"the SVG nests <use> deeper than the {_MAX_NESTED} that are rendered")
        node, total, deepest = self._nodes[number], 1, 0
        below = above | {number}
        target = self._by_id.get(node.target) if node.target else None
        for other in (*node.children, *([] if target is None else [target])):
            self._measure(other, drawn, depth, below)
            total += drawn[other] if self._nodes[other].shown or other == target else 0
            deepest = max(deepest, depth[other] + (other == target))
        drawn[number], depth[number] = total, deepest
