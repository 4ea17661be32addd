"""The approximate store: FAISS proposes candidates, the exact store beneath it scores them."""

from index_builder.stores.faiss.gpu import find_card
from index_builder.stores.faiss.store import FaissStore

__all__ = ["FaissStore", "find_card"]
