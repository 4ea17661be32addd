"""Which numbers of an embedding belong to which cell of the image, and so what each cell adds to a score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import Vectors
from models.errors import InkseekError


class LayoutUnknown(InkseekError):
    """It is not known where in the image the numbers of an embedding come from."""


@dataclass(frozen=True)
class Parts:
    """A dot product taken apart: `cells` (g, g) where they lie, `rest` what belongs to no cell (the CLS)."""

    cells: NDArray[np.float64]
    rest: float

    @property
    def total(self) -> float:
        """The dot product."""
        return float(self.cells.sum()) + self.rest


@dataclass(frozen=True)
class Layout:
    """An embedding is `cls_dim` numbers of the CLS, then `channels` maps of `grid` x `grid` cells, row by row."""

    grid: int
    channels: int
    cls_dim: int = 0

    @classmethod
    def of_experiment(cls, experiment: Mapping[str, Any]) -> Layout:
        """From a students' experiment, as a checkpoint or a bundle's provenance holds it. Raises LayoutUnknown."""
        student, vit = experiment.get("student"), experiment.get("vit_student")
        # Two shapes are read: bundles whose experiments have a table `vit_student` are still there.
        if student and student.get("form") == "vit":
            vit = student
        try:
            if vit:
                return cls(vit["grid"], vit["channels"], vit["cls_dim"])
            if student:
                return cls(student["grid"], student["channels"])
        except (KeyError, TypeError) as error:
            raise LayoutUnknown(f"the students' experiment does not say {error}") from error
        raise LayoutUnknown("it is not written down what students these are: their experiment is missing")

    @property
    def embedding_dim(self) -> int:
        """Length E of an embedding."""
        return self.cls_dim + self.channels * self.grid * self.grid

    def parts(self, sketch: Vectors, photo: Vectors) -> Parts:
        """(E,), (E,) -> their dot product by cell: the parts sum up to it, nothing is left out or counted twice."""
        # Double precision, so that the parts add up to the score that is written beside them.
        product = sketch.astype(np.float64) * photo.astype(np.float64)
        cells = product[self.cls_dim :].reshape(self.channels, self.grid, self.grid).sum(axis=0)
        return Parts(cells, float(product[: self.cls_dim].sum()))
