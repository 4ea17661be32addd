"""The interface of what is compared: a method makes an adapter of a task's photos and a few example sketches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from models.adapters import CategoryAdapter, NoAdapter
from models.arrays import Rows, Vectors


class TaskAdapter(Protocol):
    """The half of `models.adapters.Adapter` that ranks; sketches and photos are compared by their inner product."""

    def embed_sketches(self, sketches: Vectors) -> Vectors:
        """(N, E) sketches, rows of length 1 -> (N, E'), rows of length 1."""

    def embed_photos(self, photos: Vectors) -> Vectors:
        """(N, E) photos, rows of length 1 -> (N, E'), rows of length 1."""


class Method(Protocol):
    """`uses_examples`: whether the adapter depends on them; where it does not, it is made once per task."""

    @property
    def name(self) -> str:
        """The label of its row in a table; methods of one trial have different ones."""

    @property
    def uses_examples(self) -> bool:
        """Whether `fit` reads the examples."""

    def fit(self, sketches: Vectors, positives: Rows, photos: Vectors) -> TaskAdapter:
        """(S, E) example sketches, (S,) the row of each one's photo in (G, E) photos -> the task's adapter."""


@dataclass(frozen=True)
class NoAdaptation:
    """Plain cosines of the encoders' embeddings: the baseline that gains are measured from."""

    name: str = "no adaptation"
    uses_examples: bool = False

    def fit(self, sketches: Vectors, positives: Rows, photos: Vectors) -> TaskAdapter:
        """Ignores all three arguments."""
        return NoAdapter()


@dataclass(frozen=True)
class Centred:
    """The category mean is subtracted: what a search scoped to one category does without examples."""

    name: str = "centred"
    uses_examples: bool = False

    def fit(self, sketches: Vectors, positives: Rows, photos: Vectors) -> TaskAdapter:
        """(G, E) photos -> an adapter; the examples are ignored."""
        return CategoryAdapter.centred(photos)
