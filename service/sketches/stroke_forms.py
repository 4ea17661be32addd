"""How clients write strokes, told apart by their shape: rows of numbers, pairs of numbers, objects.

    [[x, x, x, ...], [y, y, y, ...], [t, ...]]     rows, as Quick, Draw! has them
    [[x, y], [x, y], [x, y, t], ...]               pairs, as canvas libraries have them
    {"points": [{"x": 1, "y": 2}, ...]}, {"points": [[x, y], ...]}, {"x": [...], "y": [...]}

Of two or three points, rows and pairs look alike and are mirror images of each other: such a stroke is read as the
others of the drawing are, and a drawing of such strokes alone is rejected.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

import msgspec
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from models.bundle import StrokesInvalid

Order: TypeAlias = Literal["rows", "pairs"]
Positions: TypeAlias = NDArray[np.float64]
"""(P, 2): x and y of each point."""

Numbers = list[float]


class Point(Struct, frozen=True, gc=False):
    """One position of the pen; y grows downwards. Whatever else is known of it (time, pressure) is not used."""

    x: float
    y: float


class StrokeObject(Struct, frozen=True):
    """One stroke as `points`, or as `x` and `y` of each point; other keys (colour, width) are not used."""

    points: list[Point | Numbers] | None = None
    x: Numbers | None = None
    y: Numbers | None = None


AnyStroke: TypeAlias = (
    Annotated[
        list[Numbers],
        Meta(description="One stroke as rows (all x, all y and optionally all t) or as pairs (x, y of each point)."),
    ]
    | StrokeObject
    | str
)

_WIDTHS = (2, 3)  # x and y, and maybe the time
_ADVICE = 'send {"drawing": ...} for rows, or points as {"x": 1, "y": 2}, which are never mistaken'


def positions_of(
    strokes: Sequence[list[Numbers] | StrokeObject | str], *, otherwise: Order | None
) -> tuple[Positions, ...]:
    """The strokes' positions; those without a point, as a tap may leave them, are left out.

    `otherwise`: how strokes are read that could be both (None: they are rejected). Raises StrokesInvalid.
    """
    listed = {number: stroke for number, stroke in enumerate(strokes) if isinstance(stroke, list) and any(stroke)}
    orders = {number: _orders(number, stroke) for number, stroke in listed.items()}
    certain = {orders[number][0]: number for number in orders if len(orders[number]) == 1}
    if len(certain) > 1:
        raise StrokesInvalid(f"stroke {certain['rows']} has rows, stroke {certain['pairs']} has pairs: one is expected")
    order = next(iter(certain), otherwise)
    if order is None and listed:
        raise StrokesInvalid(
            f"stroke {next(iter(listed))} may be rows of x and y or pairs of them, and so may all others: {_ADVICE}"
        )
    read = [_read(number, stroke, order or "rows") for number, stroke in enumerate(strokes)]
    drawn = tuple(positions for positions in read if len(positions))
    if not drawn:
        raise StrokesInvalid("the drawing has no points")
    return drawn


def points_of(points: Sequence[Point | Numbers]) -> Positions:
    """(P, 2) positions of points in either form. Raises StrokesInvalid."""
    return _of_points("the drawing", points)


def _orders(number: int, stroke: list[Numbers]) -> tuple[Order, ...]:
    """The ways in which the stroke can be read, one at least."""
    lengths = {len(row) for row in stroke}
    if len(lengths) == 1:
        rows = len(stroke) in _WIDTHS
        pairs = lengths <= set(_WIDTHS)
        found: tuple[Order, ...] = (*(("rows",) if rows else ()), *(("pairs",) if pairs else ()))
        if found:
            return found
    elif lengths == set(_WIDTHS) and len(stroke) not in _WIDTHS:  # the time is known of some points alone
        return ("pairs",)
    shape = ", ".join(map(str, sorted(lengths)))
    raise StrokesInvalid(
        f"stroke {number} has {len(stroke)} lists of {shape} numbers: two or three lists of equal length (all x, "
        "all y) or a list of pairs (x, y) is expected"
    )


def _read(number: int, stroke: AnyStroke, order: Order) -> Positions:
    if isinstance(stroke, str):
        raise StrokesInvalid(f"stroke {number} is text, as of an SVG path: send such a drawing as SVG")
    if isinstance(stroke, StrokeObject):
        return _of_object(number, stroke)
    if not any(stroke):
        return np.empty((0, 2))
    if order == "pairs":
        return np.array([pair[:2] for pair in stroke], dtype=np.float64)
    return np.array(stroke[:2], dtype=np.float64).T


def _of_object(number: int, stroke: StrokeObject) -> Positions:
    if stroke.points is not None:
        return _of_points(f"stroke {number}", stroke.points)
    if stroke.x is None or stroke.y is None:
        raise StrokesInvalid(f"stroke {number} has neither points nor x and y")
    if len(stroke.x) != len(stroke.y):
        raise StrokesInvalid(f"stroke {number} has {len(stroke.x)} x and {len(stroke.y)} y: equal is expected")
    return np.array([stroke.x, stroke.y], dtype=np.float64).T


def _of_points(what: str, points: Sequence[Point | Numbers]) -> Positions:
    for position, point in enumerate(points):
        if isinstance(point, list) and len(point) not in _WIDTHS:
            raise StrokesInvalid(f"{what}: point {position} has {len(point)} numbers, x and y (and t) are expected")
    pairs = [(point[0], point[1]) if isinstance(point, list) else (point.x, point.y) for point in points]
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)


strokes_decoder: msgspec.json.Decoder[list[AnyStroke]] = msgspec.json.Decoder(list[AnyStroke])
rows_decoder: msgspec.json.Decoder[list[list[Numbers]]] = msgspec.json.Decoder(list[list[Numbers]])
points_decoder: msgspec.json.Decoder[list[Point | Numbers]] = msgspec.json.Decoder(list[Point | Numbers])
