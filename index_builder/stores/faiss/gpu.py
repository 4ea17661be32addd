"""The accelerator of FAISS's GPU builds (`faiss-gpu`, `faiss-gpu-cuvs`): exhaustive search in its memory."""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np

from index_builder.stores.device.card import Card
from models.arrays import Rows, Vectors


class FaissCard:
    """The first card that FAISS sees. Made and used on the thread that owns it."""

    name = "cuda"
    most_results = 2_048  # FAISS's own limit of k on a card

    def __init__(self, gpu: Any) -> None:
        """`gpu`: the faiss module of a GPU build."""
        self._gpu = gpu
        self._resources = gpu.StandardGpuResources()

    def index(self, dim: int) -> FaissCardIndex:
        """An empty flat index, float32: 4 bytes a number in the card's memory."""
        return FaissCardIndex(self.clustering_index(dim))

    def clustering_index(self, dim: int) -> Any:
        """The same as FAISS's k-means wants it."""
        return self._gpu.GpuIndexFlatIP(self._resources, dim)


class FaissCardIndex:
    """A flat FAISS index of inner products, wherever its memory is."""

    def __init__(self, index: Any) -> None:
        """`index`: empty."""
        self._index = index

    def add(self, vectors: Vectors) -> None:
        """Append rows (B, E). Raises RuntimeError."""
        self._index.add(np.ascontiguousarray(vectors, np.float32))

    def search(self, queries: Vectors, k: int) -> Rows:
        """(Q, E) -> (Q, k), best first. Raises RuntimeError."""
        rows: Rows = self._index.search(np.ascontiguousarray(queries, np.float32), k)[1]
        return rows

    def close(self) -> None:
        """Give the memory back."""
        self._index.reset()


def find_card(gpu: Any = faiss) -> Card | str:
    """The card that this build of FAISS can search on, or why there is none. Call it on the thread that is to own it.

    `gpu`: the faiss module.
    """
    if not hasattr(gpu, "StandardGpuResources"):
        return "this build of FAISS knows no GPU (faiss-gpu does: the extras gpu and gpu12)"
    try:
        if gpu.get_num_gpus() < 1:
            return "FAISS sees no GPU"
        return FaissCard(gpu)
    except (RuntimeError, AttributeError) as error:  # a driver that is older than the build
        return f"FAISS cannot use the GPU ({error})"
