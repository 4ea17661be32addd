"""A photo, a sketch of it, the identity that joins the two; and a sketch that has a category and no photo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models.data.datasets.records.sketch_source import SketchSource


@dataclass(frozen=True, order=True)
class PhotoKey:
    """A photo's identity within a data set: photo ids alone repeat between categories. Ordered by category, then id."""

    category: str
    photo_id: str


@dataclass(frozen=True)
class Photo:
    """A gallery photo. `split` is empty where the data set does not divide its photos.

    `attributes`: what the data set's table says beyond that, by column, such as a name.
    """

    key: PhotoKey
    path: Path
    split: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class SketchRecord:
    """A pair: a sketch, and the key of the photo that it was drawn from.

    `person`: the artist, empty where the data set names none. `marks`: the lists of bad sketches that the data set
    itself publishes and that this sketch is in, such as `invalid-error`. `attributes`: as of a photo.
    """

    sketch: SketchSource
    photo: PhotoKey
    split: str
    person: str = ""
    marks: frozenset[str] = frozenset()
    attributes: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class LabelledSketch:
    """A sketch of a category alone: the data set knows what it shows, and no photo that it was drawn from.

    `split` is empty where the data set does not divide such sketches; they then belong to every split.
    """

    sketch: SketchSource
    category: str
    split: str = ""
    person: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict, compare=False)
