"""A store whose candidates an accelerator finds by comparing every vector; the store beneath scores them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from index_builder.stores.base import VectorStore
from index_builder.stores.device.card import CardIndex
from index_builder.stores.device.search_device import SearchDevice
from models.arrays import Rows, Vectors

MIN_ROWS = 20_000  # below, the CPU has compared all of them before a card is asked
_MARGIN = 16  # the card adds up in another order: rows that nearly tie with the k-th are candidates, too
_ADD_BLOCK_ROWS = 65_536


class CardStore:
    """A `VectorStore` with the ranks of an exact search. When the device fails, the store beneath goes on alone."""

    def __init__(self, store: VectorStore, index: CardIndex, device: SearchDevice, live: Rows | None) -> None:
        """`index`: on the device, with the rows `live` of `store` (None: all of them) in their order."""
        self._store = store
        self._index = index
        self._device = device
        self._live = live

    @classmethod
    def over(cls, store: VectorStore, device: SearchDevice, live: Rows | None = None) -> VectorStore:
        """`store` with its vectors on the device too; `store` itself where there is none or it has no room."""
        card = device.card
        if card is None or store.count < MIN_ROWS:
            return store
        try:
            index = device.run(lambda: card.index(store.dim))
            rows = np.arange(store.count, dtype=np.int64) if live is None else live
            for start in range(0, len(rows), _ADD_BLOCK_ROWS):
                block = np.ascontiguousarray(store.vectors_of(rows[start : start + _ADD_BLOCK_ROWS]))
                device.run(partial(index.add, block))
        except RuntimeError as error:  # how FAISS reports that the memory is full
            device.failed(error)
            return store
        return cls(store, index, device, live)

    @property
    def count(self) -> int:
        """Vectors in the store (G)."""
        return self._store.count

    @property
    def dim(self) -> int:
        """Length of a vector (E)."""
        return self._store.dim

    def candidates(
        self, queries: Vectors, k: int, *, within: Rows | None = None, exact: bool = False
    ) -> Sequence[Rows]:
        """(Q, E) -> for each query the k best rows and a few more, ascending; filtered and exact ones as beneath."""
        card, live = self._device.card, self.count if self._live is None else len(self._live)
        wanted = min(k + _MARGIN, live)
        if exact or within is not None or card is None or not 0 < wanted <= card.most_results:
            return self._store.candidates(queries, k, within=within, exact=exact)
        try:
            found = self._device.search(self._index, np.ascontiguousarray(queries, np.float32), wanted)
        except RuntimeError as error:
            self._device.failed(error)
            return self._store.candidates(queries, k)
        return [self._rows(one) for one in found]

    def vectors_of(self, rows: Rows) -> Vectors:
        """(R,) ascending -> (R, E), read-only."""
        return self._store.vectors_of(rows)

    def products(self, queries: Vectors, rows: Rows | None = None) -> Vectors:
        """(Q, E), (R,) ascending -> (Q, R) inner products, computed on the CPU: to the same bits as without a card."""
        return self._store.products(queries, rows)

    def close(self) -> None:
        """Give the device's memory back, and close the store beneath."""
        self._device.run(self._index.close)
        self._store.close()

    def _rows(self, found: Rows) -> Rows:
        rows: Rows = np.sort(found[found >= 0])
        return rows if self._live is None else self._live[rows]
