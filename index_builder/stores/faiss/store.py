"""A store whose candidates come from a FAISS index over the rows of an exact store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from index_builder.stores.device.search_device import CPU, SearchDevice
from index_builder.stores.errors import StoreUnreadable
from index_builder.stores.exact import ExactStore
from index_builder.stores.faiss.axes import empty_index, padded, search_parameters
from index_builder.stores.faiss.training import train
from index_builder.stores.plan import DEFAULT_SETTINGS, SearchPlan, StoreSettings, code_dim
from models.arrays import Rows, Vectors
from models.atomic_files import sync_path

_ADD_BLOCK_ROWS = 65_536  # bounds what is copied from the memory map at once


class FaissStore:
    """A `VectorStore` whose candidates come from a FAISS index, rows of which are the exact store's."""

    def __init__(self, exact: ExactStore, index: Any, plan: SearchPlan, live: Rows | None = None) -> None:
        """`index`: a FAISS index over the vectors of `exact`; `plan`: how it is searched; `live`: see `open`."""
        self._exact = exact
        self._index = index
        self._plan = plan
        self._live = exact.candidates(np.empty((1, exact.dim), np.float32), 1)[0] if live is None else live
        self._selector = None if live is None else _selector(live, exact.count)
        self._parameters_of: dict[int, Any] = {}
        self._has_coarse_graph = "_HNSW" in (plan.factory or "") and plan.nprobe is not None

    @classmethod
    def open(cls, path: Path, exact: ExactStore, plan: SearchPlan, live: Rows | None = None) -> FaissStore:
        """Map the FAISS index at `path`. `live`: ascending rows that may be proposed; None: all of them.

        Pages are read when a search needs them, so opening takes milliseconds whatever the size.

        Raises StoreUnreadable when it is none, or of another gallery.
        """
        try:
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError as error:
            raise StoreUnreadable(path.name, expected="a FAISS index", actual=str(error)[-200:]) from error
        if index.ntotal != exact.count:
            raise StoreUnreadable(path.name, expected=f"{exact.count} vectors", actual=f"{index.ntotal} vectors")
        if index.d not in (exact.dim, code_dim(plan, exact.dim)):  # older ones were not padded
            raise StoreUnreadable(path.name, expected=f"vectors of {exact.dim} numbers", actual=f"of {index.d}")
        return cls(exact, index, plan, live)

    @classmethod
    def build(
        cls,
        exact: ExactStore,
        plan: SearchPlan,
        *,
        threads: int,
        settings: StoreSettings = DEFAULT_SETTINGS,
        device: SearchDevice = CPU,
    ) -> FaissStore:
        """Train and fill an index over the unit vectors of `exact`. Scores are inner products, which are cosines.

        `device`: where centroids are computed.
        """
        faiss.omp_set_num_threads(threads)
        index = empty_index(plan, exact.dim)
        train(index, exact, plan, settings, device)
        for start in range(0, exact.count, _ADD_BLOCK_ROWS):
            rows = np.arange(start, min(start + _ADD_BLOCK_ROWS, exact.count))
            index.add(padded(exact.vectors_of(rows), index.d))
        return cls(exact, index, plan)

    def at(self, plan: SearchPlan) -> FaissStore:
        """The same index, searched by another setting of its plan."""
        return FaissStore(self._exact, self._index, plan)  # as it was built, with every row live

    def write(self, path: Path) -> None:
        """Write the FAISS index and force it to the disk. Raises OSError."""
        try:
            faiss.write_index(self._index, str(path))
        except RuntimeError as error:  # how FAISS reports a full disk
            raise OSError(str(error)) from error
        sync_path(path)

    @property
    def count(self) -> int:
        """Vectors in the store (G)."""
        return self._exact.count

    @property
    def dim(self) -> int:
        """Length of a vector (E)."""
        return self._exact.dim

    def candidates(
        self, queries: Vectors, k: int, *, within: Rows | None = None, exact: bool = False
    ) -> Sequence[Rows]:
        """(Q, E) -> for each query `candidate_factor` x k ascending rows that are probably near it.

        A filtered or exact search gets every row: HNSW loses its way among rows that a filter leaves out.
        """
        if exact or within is not None:
            return [self._live if within is None else within] * len(queries)
        return [self._nearest(query, k) for query in queries]

    def vectors_of(self, rows: Rows) -> Vectors:
        """(R,) ascending -> (R, E), read-only: a view where the rows are adjacent, else a copy."""
        return self._exact.vectors_of(rows)

    def products(self, queries: Vectors, rows: Rows | None = None) -> Vectors:
        """(Q, E), (R,) ascending -> (Q, R) inner products; `rows` None: of all G rows."""
        return self._exact.products(queries, rows)

    def close(self) -> None:
        """Nothing to release: FAISS frees its memory with the last reference."""

    def _nearest(self, query: Vectors, k: int) -> Rows:
        faiss.omp_set_num_threads(1)
        requested = min(k * self._plan.candidate_factor, len(self._live))
        if not requested:
            return self._live
        _, rows = self._index.search(padded(query[None], self._index.d), requested, params=self._parameters(requested))
        nearest: Rows = np.sort(rows[0])
        nearest = nearest[np.searchsorted(nearest, 0) :]  # -1 fills up what FAISS could not find
        # FAISS may return fewer rows than requested; a caller never gets fewer than k while there are k.
        return nearest if len(nearest) >= min(k, len(self._live)) else self._live

    def _parameters(self, requested: int) -> Any:
        # A search only reads them, so threads share those of an equal k; making them takes as long as ten distances.
        known = self._parameters_of.get(requested)
        if known is None:
            known = self._parameters_of[requested] = search_parameters(self._index, self._new_parameters(requested))
        return known

    def _new_parameters(self, requested: int) -> Any:
        # They travel with each call (setting them on a shared index is a race). FAISS's own type hints do not know the
        # keyword constructors.
        if self._plan.ef_search is not None:
            ef_search = max(self._plan.ef_search, requested)
            return faiss.SearchParametersHNSW(efSearch=ef_search, sel=self._selector)  # type: ignore[attr-defined]
        nprobe = self._plan.nprobe or 16
        parameters: Any = faiss.SearchParametersIVF
        if self._has_coarse_graph:
            # A list that the graph over the centroids misses is a neighbourhood that is lost.
            coarse = faiss.SearchParametersHNSW(efSearch=2 * nprobe)  # type: ignore[attr-defined]
            return parameters(nprobe=nprobe, sel=self._selector, quantizer_params=coarse)
        return parameters(nprobe=nprobe, sel=self._selector)


def _selector(live: Rows, count: int) -> Any:
    """What tells FAISS which of its rows may be answers; it keeps the bits that it reads."""
    bits = np.zeros(count, bool)
    bits[live] = True
    selector: Any = faiss.IDSelectorBitmap  # FAISS's type hints know the pointer alone
    return selector(np.packbits(bits, bitorder="little"))
