"""Sketches whose strokes lie in JSON: FS-COCO's files of points, and lines of Quick, Draw!'s form (ndjson)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from models.bundle import SKETCH_MATTE, StrokesInvalid, open_image
from models.data.datasets.records.sketch_source import CANVAS, Strokes, draw_in_place, split_strokes

_NOT_STROKES = (ValueError, TypeError, LookupError, ArithmeticError, RecursionError, AttributeError)


@dataclass(frozen=True)
class JsonStrokeSketch:
    """FS-COCO's raw drawing: points with `coordinates` from 0 to 1 and a `pen_state`, draw [0 1 0] or lift [1 0 0]."""

    name: str
    path: Path

    def image(self) -> Image.Image:
        """The strokes rasterised, at their place on the canvas."""
        return draw_in_place(self.strokes())

    def strokes(self) -> Strokes:
        """The points in the order of the file, cut after each lifted pen."""
        try:
            rows = [_json_point(point) for point in json.loads(self.path.read_bytes())]
        except _NOT_STROKES as error:
            raise StrokesInvalid(f"{self.path.name} is no list of points with coordinates and pen_state") from error
        with np.errstate(over="ignore"):  # what no float32 holds becomes infinite, and is rejected when drawn
            return split_strokes(np.array(rows, dtype=np.float64).reshape(-1, 3).astype(np.float32))

    def content(self) -> bytes:
        """The file's bytes."""
        return self.path.read_bytes()


@dataclass(frozen=True)
class StrokeLine:
    """One line of an ndjson file: an object whose `drawing` is [[xs, ys], ...], one entry per stroke, 0 to 255."""

    path: Path
    number: int
    offset: int
    length: int

    def read(self) -> dict[str, Any]:
        """The object. Raises StrokesInvalid, OSError."""
        try:
            content = json.loads(self.content())
        except (ValueError, RecursionError) as error:
            raise StrokesInvalid(f"{self._place} is not valid JSON: {error}") from error
        if not isinstance(content, dict):
            raise StrokesInvalid(f"{self._place} is a JSON {type(content).__name__}; an object is expected")
        return content

    def strokes(self) -> Strokes:
        """The drawing. Raises StrokesInvalid, OSError."""
        drawing = self.read().get("drawing")
        try:
            with np.errstate(over="ignore"):
                pairs = [np.array([stroke[0], stroke[1]], dtype=np.float64).T for stroke in drawing or ()]
                strokes = tuple(pair.astype(np.float32) for pair in pairs)
        except _NOT_STROKES as error:
            raise StrokesInvalid(f"{self._place} has no drawing of the form [[xs, ys], ...]: {error}") from error
        # `np.array` turns ragged or nested lists into other shapes without an error.
        if not strokes or any(stroke.ndim != 2 or not len(stroke) for stroke in strokes):
            raise StrokesInvalid(f"{self._place} has no drawing of the form [[xs, ys], ...]")
        return strokes

    def content(self) -> bytes:
        """The line's bytes."""
        with self.path.open("rb") as file:
            # The official files have 100,000 lines and more: a sketch reads its own.
            file.seek(self.offset)
            return file.read(self.length)

    @property
    def _place(self) -> str:
        return f"line {self.number} of {self.path.name}"


@dataclass(frozen=True)
class LineSketch:
    """A sketch that is a line of an ndjson file, and no image."""

    name: str
    line: StrokeLine

    def image(self) -> Image.Image:
        """The strokes rasterised, at their place on the canvas."""
        return draw_in_place(self.line.strokes())

    def strokes(self) -> Strokes:
        """The strokes in the order of drawing."""
        return self.line.strokes()

    def content(self) -> bytes:
        """The line's bytes."""
        return self.line.content()


@dataclass(frozen=True)
class TracedSketch:
    """An image file whose strokes are known as well."""

    name: str
    path: Path
    line: StrokeLine

    def image(self) -> Image.Image:
        """The file decoded, as of an ImageSketch; the strokes are not drawn."""
        return open_image(self.path, matte=SKETCH_MATTE).image

    def strokes(self) -> Strokes:
        """The strokes in the order of drawing."""
        return self.line.strokes()

    def content(self) -> bytes:
        """The image file's bytes."""
        return self.path.read_bytes()


def lines_in(path: Path) -> Iterator[StrokeLine]:
    """The lines of an ndjson file that hold something, numbered from 1 as an editor does; none is parsed."""
    # Parsing waits for the sketch: a broken line then costs one sketch and not the data set.
    offset = 0
    with path.open("rb") as file:
        # The file is open as bytes: offsets in characters could not be sought.
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield StrokeLine(path, number, offset, len(line))
            offset += len(line)


def _json_point(point: Any) -> tuple[float, float, float]:
    x, y = (float(value) * CANVAS for value in point["coordinates"])
    lifted = int(float(point["pen_state"][0])) == 1
    return x, y, float(lifted)
