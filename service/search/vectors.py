"""A sketch that the client has encoded itself: its embedding, checked before photos are compared with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.adapters.adapter import unit_rows
from models.arrays import Vectors
from service.errors import EncoderDiffers, VectorInvalid
from service.search.query import Mirror

Numbers: TypeAlias = NDArray[np.floating]

# float16 keeps a unit vector's length to 0.0005; what differs by more was not normalised, or is another thing.
_LENGTH_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class SketchVectors:
    """As it was sent, nothing checked: the embedding of the drawing, and of its mirror image where that came, too.

    `bundle_id`: of the bundle whose sketch encoder made them. `joined`: both may lie in `upright`, one behind the
    other; the length that the bundle's embeddings have says whether they do.
    """

    bundle_id: str
    upright: Numbers
    mirrored: Numbers | None = None
    joined: bool = False

    @property
    def content(self) -> tuple[object, ...]:
        """Equal for equal vectors, to be hashed."""
        return ("vectors", *(vector.tobytes() for vector in self._vectors()))

    def parted(self, embedding_dim: int) -> SketchVectors:
        """The same with joined vectors apart."""
        if not self.joined or len(self.upright) != 2 * embedding_dim:
            return self
        return SketchVectors(self.bundle_id, self.upright[:embedding_dim], self.upright[embedding_dim:])

    def checked(self, bundle_id: str, embedding_dim: int, mirror: Mirror = "auto") -> Vectors:
        """(1, E) or, with the mirror image, (2, E) float32, rows of length 1.

        `bundle_id`, `embedding_dim`: of the bundle in service. Raises EncoderDiffers, VectorInvalid.
        """
        if self.bundle_id != bundle_id:
            raise EncoderDiffers(
                f"the vector is of the bundle {self.bundle_id}; {bundle_id} is in service",
                [("bundle", f"{bundle_id} is expected")],
            )
        vectors = self.parted(embedding_dim)._vectors()
        for name, vector in zip(("vector", "mirrored"), vectors, strict=False):
            if fault := _fault_of(vector, embedding_dim):
                raise VectorInvalid(f"{name}: {fault}", [(name, fault)])
        if mirror == "true" and len(vectors) == 1:
            raise VectorInvalid("`mirror=true` takes the embedding of the mirrored drawing, too: `mirrored`")
        return unit_rows(np.stack(vectors).astype(np.float32))

    def _vectors(self) -> list[Numbers]:
        return [self.upright] if self.mirrored is None else [self.upright, self.mirrored]


def _fault_of(vector: Numbers, embedding_dim: int) -> str | None:
    if vector.shape != (embedding_dim,):
        return f"{embedding_dim} numbers are expected, not {vector.size}"
    # `not <=` instead of `>`: it is true for what is not a number, as well.
    if not float(np.abs(vector).max()) <= 2.0:
        return "a number is not finite, or larger than any of a unit vector"
    length = float(np.linalg.norm(vector.astype(np.float64)))
    if abs(length - 1.0) > _LENGTH_TOLERANCE:
        return f"its length is {length:.4g}; the encoder's embeddings have the length 1"
    return None
