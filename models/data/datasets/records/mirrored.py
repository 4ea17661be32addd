"""A data set whose sketches face the other way: what an artist might as well have drawn of the same photos."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from models.data.datasets.records.dataset import PairDataset
from models.data.datasets.records.sketch_source import CANVAS, SketchSource, Strokes


@dataclass(frozen=True)
class MirroredSketch:
    """A sketch with left and right exchanged; its name stays, so that results are compared sketch by sketch."""

    sketch: SketchSource

    @property
    def name(self) -> str:
        """The sketch's own."""
        return self.sketch.name

    def image(self) -> Image.Image:
        """The sketch's image, mirrored. Raises ImageError, OSError."""
        return ImageOps.mirror(self.sketch.image())

    def strokes(self) -> Strokes | None:
        """The strokes mirrored on their canvas, in the order of drawing. Raises StrokesInvalid, OSError."""
        strokes = self.sketch.strokes()
        if strokes is None:
            return None
        return tuple(np.stack([CANVAS - stroke[:, 0], stroke[:, 1]], axis=1) for stroke in strokes)

    def content(self) -> bytes:
        """The sketch's bytes behind a mark: a mirrored sketch is no copy of the upright one."""
        return b"mirrored:" + self.sketch.content()


def mirrored(dataset: PairDataset) -> PairDataset:
    """The same data set with every sketch mirrored and every photo as it is; its name says so."""
    return dataclasses.replace(
        dataset,
        name=f"{dataset.name}, sketches mirrored",
        records=tuple(dataclasses.replace(r, sketch=MirroredSketch(r.sketch)) for r in dataset.records),
        labelled=tuple(dataclasses.replace(item, sketch=MirroredSketch(item.sketch)) for item in dataset.labelled),
    )
