"""A photo, a sketch of it, and the identity that joins the two."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.data.datasets.records.sketch_source import SketchSource


@dataclass(frozen=True, order=True)
class PhotoKey:
    """A photo's identity within a data set: photo ids alone repeat between categories. Ordered by category, then id."""

    category: str
    photo_id: str


@dataclass(frozen=True)
class Photo:
    """A gallery photo. `split` is empty where the data set does not divide its photos."""

    key: PhotoKey
    path: Path
    split: str = ""


@dataclass(frozen=True)
class SketchRecord:
    """A pair: a sketch, and the key of the photo that it was drawn from.

    `person`: the artist, empty where the data set names none. `marks`: the lists of bad sketches that the data set
    itself publishes and that this sketch is in, such as `invalid-error`.
    """

    sketch: SketchSource
    photo: PhotoKey
    split: str
    person: str = ""
    marks: frozenset[str] = frozenset()
