"""The port of an accelerator that searches: what FAISS's GPU build offers, and what a test puts in its place."""

from __future__ import annotations

from typing import Any, Protocol

from models.arrays import Rows, Vectors


class CardIndex(Protocol):
    """Vectors in the accelerator's memory, by the order in which they were added."""

    def add(self, vectors: Vectors) -> None:
        """Append rows (B, E). Raises RuntimeError, as where the memory is full."""

    def search(self, queries: Vectors, k: int) -> Rows:
        """(Q, E) -> (Q, k): the rows with the largest inner products, best first; -1 where there are fewer."""

    def close(self) -> None:
        """Give the memory back."""


class Card(Protocol):
    """One accelerator. Its resources are not thread-safe: every call comes from the thread that owns it."""

    @property
    def name(self) -> str:
        """The device, as /v1/info names it: "cuda"."""

    @property
    def most_results(self) -> int:
        """The largest k of a search."""

    def index(self, dim: int) -> CardIndex:
        """An empty index of vectors of length `dim`. Raises RuntimeError."""

    def clustering_index(self, dim: int) -> Any:
        """A flat FAISS index in the accelerator's memory, which k-means assigns rows to centroids with."""
