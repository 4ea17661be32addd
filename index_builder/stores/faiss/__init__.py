"""The approximate store: FAISS proposes candidates, the exact store beneath it scores them."""

from index_builder.stores.faiss.store import FaissStore

__all__ = ["FaissStore"]
