"""What a FAISS index learns from a gallery's vectors before they are added: centroids, and ranges of codes."""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np

from index_builder.stores.exact import ExactStore
from index_builder.stores.plan import TRAINING_ROWS_PER_LIST, SearchPlan, StoreSettings
from models.arrays import Vectors

_MIN_TRAINING_ROWS = 10_000  # what codes are trained on where few lists need fewer rows


def train(index: Any, exact: ExactStore, plan: SearchPlan, settings: StoreSettings) -> None:
    """Prepare an empty index of the plan's factory for the vectors of `exact`."""
    if plan.ef_search is not None:
        index.hnsw.efConstruction = settings.hnsw_ef_construction
        if not index.is_trained:
            index.train(_sample(exact, _MIN_TRAINING_ROWS))
        return
    # FAISS asks for 39 rows a centroid and warns on stderr about fewer; small galleries have fewer.
    index.cp.min_points_per_centroid = 1
    index.pq.cp.min_points_per_centroid = 1
    coarse: Any = faiss.downcast_index(index.quantizer)
    if hasattr(coarse, "hnsw"):
        # A wrong list loses a whole neighbourhood; the graph over the centroids is small enough to be searched well.
        coarse.hnsw.efSearch = max(coarse.hnsw.efSearch, 2 * max(settings.nprobe))
    index.train(_sample(exact, max(index.nlist * TRAINING_ROWS_PER_LIST, _MIN_TRAINING_ROWS)))


def _sample(exact: ExactStore, rows: int) -> Vectors:
    # Spread over all rows: they are sorted by category, so the first ones would be of a few kinds only.
    step = max(1, exact.count // rows)
    return np.ascontiguousarray(exact.vectors_of(np.arange(0, exact.count, step)))
