"""Shapes that the tests draw, and that are the gallery's photos too."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw

Point = tuple[float, float]

BOARD_UNITS = 256


def ring(x: float, y: float, radius: float, points: int = 32) -> list[Point]:
    return [
        (x + radius * math.cos(2 * math.pi * i / points), y + radius * math.sin(2 * math.pi * i / points))
        for i in range(points + 1)
    ]


# Shapes in board units. They fill their picture as the page frames a drawing: so the block means of the tiny bundle
# find the photo of each.
LOW, HIGH = 20.5, 235.5
CIRCLE = ring(128, 128, 107.5)
SHAPES: dict[str, dict[str, list[list[Point]]]] = {
    "round": {
        "circle": [CIRCLE],
        "two rings": [CIRCLE, ring(128, 128, 50)],
        "eyes": [ring(70, 128, 49.5), ring(186, 128, 49.5)],
        "chain": [ring(56, 128, 35.5), ring(128, 128, 35.5), ring(200, 128, 35.5)],
    },
    "angular": {
        "square": [[(LOW, LOW), (HIGH, LOW), (HIGH, HIGH), (LOW, HIGH), (LOW, LOW)]],
        "triangle": [[(128, LOW), (HIGH, HIGH), (LOW, HIGH), (128, LOW)]],
        "diamond": [[(128, LOW), (HIGH, 128), (128, HIGH), (LOW, 128), (128, LOW)]],
    },
    "lines": {
        "cross": [[(LOW, LOW), (HIGH, HIGH)], [(HIGH, LOW), (LOW, HIGH)]],
        "plus": [[(128, LOW), (128, HIGH)], [(LOW, 128), (HIGH, 128)]],
        "stripes": [[(LOW, y), (HIGH, y)] for y in (40, 128, 216)],
    },
}
SHAPE_COUNT = sum(map(len, SHAPES.values()))


def shape_picture(strokes: Sequence[Sequence[Point]]) -> Image.Image:
    picture = Image.new("RGB", (BOARD_UNITS, BOARD_UNITS), "white")
    draw = ImageDraw.Draw(picture)
    for stroke in strokes:
        draw.line([(x, y) for x, y in stroke], fill="black", width=3, joint="curve")
    return picture
