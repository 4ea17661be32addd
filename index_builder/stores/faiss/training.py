"""What a FAISS index learns from a gallery's vectors before they are added: centroids, and ranges of codes."""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np

from index_builder.stores.device.card import Card
from index_builder.stores.device.search_device import CPU, SearchDevice
from index_builder.stores.exact import ExactStore
from index_builder.stores.faiss.axes import find_axes, has_axes, own_index, padded
from index_builder.stores.plan import TRAINING_ROWS_PER_LIST, SearchPlan, StoreSettings
from models.arrays import Vectors

_ADDING_EF = 48
_MIN_TRAINING_ROWS = 10_000  # what codes are trained on where few lists need fewer rows


def train(index: Any, exact: ExactStore, plan: SearchPlan, settings: StoreSettings, device: SearchDevice = CPU) -> None:
    """Prepare an empty index of the plan's factory for the vectors of `exact`, with centroids from `device`."""
    if plan.ef_search is not None:
        own_index(index).hnsw.efConstruction = settings.hnsw_ef_construction
        if not index.is_trained:
            sample = _sample(exact, _MIN_TRAINING_ROWS)
            if has_axes(index):
                find_axes(index, sample)
            index.train(padded(sample, index.d))
        return
    # FAISS asks for 39 rows a centroid and warns on stderr about fewer; small galleries have fewer.
    index.cp.min_points_per_centroid = 1
    index.pq.cp.min_points_per_centroid = 1
    coarse: Any = faiss.downcast_index(index.quantizer)
    if hasattr(coarse, "hnsw"):
        coarse.hnsw.efSearch = _ADDING_EF  # one list is enough for a row that is added; a search brings its own
    sample = _sample(exact, max(index.nlist * TRAINING_ROWS_PER_LIST, _MIN_TRAINING_ROWS))
    card = device.card
    if card is None:
        index.train(sample)
        return
    try:
        device.run(lambda: _train_on(card, index, sample))
    except RuntimeError as error:
        device.failed(error)
        index.train(sample)


def _train_on(card: Card, index: Any, sample: Vectors) -> None:
    """Train with the assignment of rows to centroids, which is nearly all of the work, on the card."""
    index.clustering_index = card.clustering_index(index.d)
    try:
        index.train(sample)
    finally:
        index.clustering_index = None


def _sample(exact: ExactStore, rows: int) -> Vectors:
    # Spread over all rows: they are sorted by category, so the first ones would be of a few kinds only.
    step = max(1, exact.count // rows)
    return np.ascontiguousarray(exact.vectors_of(np.arange(0, exact.count, step)))
