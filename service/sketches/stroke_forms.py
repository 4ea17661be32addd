"""How clients write strokes, told apart by their shape: rows of numbers, pairs of numbers, objects.

    [[x, x, x, ...], [y, y, y, ...], [t, ...]]     rows, as Quick, Draw! has them
    [[x, y], [x, y], [x, y, t], ...]               pairs, as canvas libraries have them
    [{"x": 1, "y": 2}, ...]                        points
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
    x: Numbers | float | None = None
    y: Numbers | float | None = None


AnyStroke: TypeAlias = (
    Annotated[
        list[Point | Numbers],
        Meta(
            description="One stroke as rows (all x, all y and optionally all t), as pairs (x, y of each point) or as "
            "points."
        ),
    ]
    | StrokeObject
    | str
    | None
)

_WIDTHS = (2, 3)  # x and y, and maybe the time
_POINT_WIDTHS = range(2, 7)  # of a point: also its pressure and tilt
_ADVICE = 'send {"drawing": ...} for rows, or points as {"x": 1, "y": 2}, which are never mistaken'


def positions_of(strokes: Sequence[AnyStroke], *, otherwise: Order | None) -> tuple[Positions, ...]:
    """The strokes' positions; those without a point, as a tap may leave them, are left out.

    `otherwise`: how strokes are read that could be both (None: they are rejected). Raises StrokesInvalid.
    """
    listed = {number: rows for number, stroke in enumerate(strokes) if (rows := _lists_of(stroke))}
    orders = {number: _orders(number, rows) for number, rows in listed.items()}
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


def _lists_of(stroke: AnyStroke) -> list[Numbers]:
    """The rows or pairs of a stroke that is written as such; none of one in another form, or without a point."""
    if not isinstance(stroke, list) or not any(stroke):
        return []
    lists = [row for row in stroke if isinstance(row, list)]
    return lists if len(lists) == len(stroke) else []


def _orders(number: int, stroke: list[Numbers]) -> tuple[Order, ...]:
    """The ways in which the stroke can be read, one at least."""
    lengths = {len(row) for row in stroke}
    as_rows = len(stroke) in _WIDTHS and len(lengths) == 1
    # Points of more numbers are no rows only where the lists are too many for rows of time, pressure and tilt, too.
    of_two_or_three = lengths <= set(_WIDTHS) and (len(lengths) == 1 or len(stroke) not in _WIDTHS)
    as_pairs = of_two_or_three or (lengths <= set(_POINT_WIDTHS) and len(stroke) not in range(_POINT_WIDTHS.stop))
    found: tuple[Order, ...] = (*(("rows",) if as_rows else ()), *(("pairs",) if as_pairs else ()))
    if found:
        return found
    shape = ", ".join(map(str, sorted(lengths)))
    raise StrokesInvalid(
        f"stroke {number} has {len(stroke)} lists of {shape} numbers: two or three lists of equal length (all x, "
        "all y) or a list of pairs (x, y) is expected"
    )


def _read(number: int, stroke: AnyStroke, order: Order) -> Positions:
    if stroke is None or not stroke:
        return np.empty((0, 2))
    if isinstance(stroke, str):
        raise StrokesInvalid(f"stroke {number} is text, as of an SVG path: send such a drawing as SVG")
    if isinstance(stroke, StrokeObject):
        return _of_object(number, stroke)
    lists = _lists_of(stroke)
    if not lists:
        return _of_points(f"stroke {number}", stroke) if any(stroke) else np.empty((0, 2))
    if order == "pairs":
        return np.array([pair[:2] for pair in lists], dtype=np.float64)
    return np.array(lists[:2], dtype=np.float64).T


def _of_object(number: int, stroke: StrokeObject) -> Positions:
    x, y = stroke.x, stroke.y
    if isinstance(x, float) or isinstance(y, float):
        advice = (
            'the points of a single stroke are sent as {"points": [...]}'
            if stroke.points is None
            else "where the points count from there, add it to each of them; else leave it out"
        )
        raise StrokesInvalid(f"stroke {number} has a number as x or y: {advice}")
    if stroke.points is not None:
        return _of_points(f"stroke {number}", stroke.points)
    if x is None or y is None:
        raise StrokesInvalid(f"stroke {number} has neither points nor x and y; path data is sent as SVG")
    if len(x) != len(y):
        raise StrokesInvalid(f"stroke {number} has {len(x)} x and {len(y)} y: equal is expected")
    return np.array([x, y], dtype=np.float64).T


def _of_points(what: str, points: Sequence[Point | Numbers]) -> Positions:
    for position, point in enumerate(points):
        if isinstance(point, list) and len(point) not in _POINT_WIDTHS:
            raise StrokesInvalid(f"{what}: point {position} has {len(point)} numbers, x and y are expected")
    pairs = [(point[0], point[1]) if isinstance(point, list) else (point.x, point.y) for point in points]
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)


strokes_decoder: msgspec.json.Decoder[list[AnyStroke]] = msgspec.json.Decoder(list[AnyStroke])
rows_decoder: msgspec.json.Decoder[list[list[Numbers]]] = msgspec.json.Decoder(list[list[Numbers]])
points_decoder: msgspec.json.Decoder[list[Point | Numbers]] = msgspec.json.Decoder(list[Point | Numbers])
