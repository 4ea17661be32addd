"""Candidate stores: who proposes the rows that are then scored exactly. A remote store would be a third one here."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import faiss
import numpy as np

from index_builder.artifact.errors import IndexCorrupt
from index_builder.artifact.manifest import SearchPlan
from models.arrays import Rows, Vectors


class CandidateStore(Protocol):
    """Proposes rows that are probably near a query. Thread-safe; order and completeness are not promised."""

    @property
    def count(self) -> int:
        """Vectors in the store."""

    def candidates(self, query: Vectors, k: int) -> Rows:
        """(E,) -> (K,) distinct rows, K <= k."""


class FaissStore:
    """An approximate FAISS index; parameters travel with each call (setting them on a shared index is a race)."""

    def __init__(self, index: Any, plan: SearchPlan) -> None:
        """`index`: a FAISS index whose row numbers are the gallery's; `plan`: how it is searched."""
        self._index = index
        self._plan = plan

    @classmethod
    def read(cls, path: Path, plan: SearchPlan) -> FaissStore:
        """Raises IndexCorrupt when FAISS cannot read the file."""
        try:
            return cls(faiss.read_index(str(path)), plan)
        except RuntimeError as error:
            raise IndexCorrupt(path.name, expected="a FAISS index", actual=str(error)[-200:]) from error

    @property
    def count(self) -> int:
        """Vectors in the index."""
        return int(self._index.ntotal)

    def candidates(self, query: Vectors, k: int) -> Rows:
        """(E,) -> (K,) rows, ascending; `candidate_factor` x k of them where the index has so many."""
        faiss.omp_set_num_threads(1)
        wanted = min(k * self._plan.candidate_factor, self.count)
        _, rows = self._index.search(query[None, :], wanted, params=self._parameters(wanted))
        found: Rows = np.unique(rows[0])
        return found[found >= 0]

    def _parameters(self, wanted: int) -> Any:
        # FAISS's own type hints do not know the keyword constructors.
        if self._plan.kind == "hnsw":
            return faiss.SearchParametersHNSW(efSearch=max(self._plan.ef_search or 64, wanted))  # type: ignore[attr-defined]
        return faiss.SearchParametersIVF(nprobe=self._plan.nprobe or 16)  # type: ignore[call-arg]
