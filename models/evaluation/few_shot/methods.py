"""What is compared: a method makes of a task's photos and a few drawn examples a head, which compares from then on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from models.adapters.category import CategoryAdapter
from models.arrays import Rows, Vectors


class Head(Protocol):
    """Both give rows of length 1, (N, E) -> (N, E'), compared by their inner product."""

    def sketches(self, rows: Vectors) -> Vectors:
        """Embed sketches."""

    def photos(self, rows: Vectors) -> Vectors:
        """Embed photos."""


class Method(Protocol):
    """`uses_examples`: whether the head depends on them; where not, it is made once a task."""

    @property
    def name(self) -> str:
        """Of its row in a table."""

    @property
    def uses_examples(self) -> bool:
        """Whether the examples are looked at."""

    def fit(self, sketches: Vectors, positives: Rows, photos: Vectors) -> Head:
        """(S, E) sketches, (S,) the place of each one's photo in (G, E) photos -> what compares in this task."""


@dataclass(frozen=True)
class PlainHead:
    """The embeddings as they are."""

    def sketches(self, rows: Vectors) -> Vectors:
        """The same rows."""
        return rows

    def photos(self, rows: Vectors) -> Vectors:
        """The same rows."""
        return rows


@dataclass(frozen=True)
class SharedHead:
    """A category head."""

    head: CategoryAdapter

    def sketches(self, rows: Vectors) -> Vectors:
        """See CategoryAdapter.embed_sketches."""
        return self.head.embed_sketches(rows)

    def photos(self, rows: Vectors) -> Vectors:
        """See CategoryAdapter.embed_photos."""
        return self.head.embed_photos(rows)


@dataclass(frozen=True)
class NoAdaptation:
    """Plain cosines of the encoders' embeddings."""

    name: str = "no adaptation"
    uses_examples: bool = False

    def fit(self, sketches: Vectors, positives: Rows, photos: Vectors) -> Head:
        """Nothing is fitted."""
        return PlainHead()


@dataclass(frozen=True)
class Centred:
    """The photos' mean taken away: what a search scoped to one category does without examples."""

    name: str = "centred"
    uses_examples: bool = False

    def fit(self, sketches: Vectors, positives: Rows, photos: Vectors) -> Head:
        """Only the photos count."""
        return SharedHead(CategoryAdapter.centred(photos))
