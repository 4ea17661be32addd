"""Exact top k by inner product: the truth that filters, re-scoring and recall rest on."""

from __future__ import annotations

import faiss
import numpy as np

from models.arrays import Rows, Vectors

# Rows that are scored in one call: bounds the memory of a gathered block (65,536 x 800 floats = 200 MB at worst).
_BLOCK_ROWS = 65_536


def exact_top_k(vectors: Vectors, query: Vectors, k: int, rows: Rows | None = None) -> tuple[Vectors, Rows]:
    """(G, E), (E,) -> scores (K,), rows (K,), K = min(k, candidates): best score first, equal scores by row.

    `rows` (ascending) limits the candidates; None = all. FAISS keeps an arbitrary choice among equal scores at the
    cut, so the cut is moved until the scores on its two sides differ: the answer does not depend on batch or block.
    """
    total = len(vectors) if rows is None else len(rows)
    k = min(k, total)
    if k == 0:
        return np.empty(0, np.float32), np.empty(0, np.int64)
    # OpenMP's thread count belongs to the calling thread, so it has to be set here and not once at start.
    faiss.omp_set_num_threads(1)
    reach = k + 1
    while True:
        scores, found = _best_of_each_block(vectors, query, reach, rows)
        order = np.lexsort((found, -scores))
        scores, found = scores[order], found[order]
        if reach > total or scores[k] < scores[k - 1]:
            return scores[:k], found[:k]
        reach *= 2


def inner_products(vectors: Vectors, query: Vectors, rows: Rows | None = None) -> Vectors:
    """(G, E), (E,) -> (G,), or (R,) of those ascending rows. A row's product does not depend on the other rows."""
    total = len(vectors) if rows is None else len(rows)
    products = np.empty(total, np.float32)
    query = np.ascontiguousarray(query, np.float32)
    faiss.omp_set_num_threads(1)
    for start in range(0, total, _BLOCK_ROWS):
        stop = min(start + _BLOCK_ROWS, total)
        block = np.ascontiguousarray(vectors[start:stop] if rows is None else _block(vectors, rows[start:stop]))
        # Several times as fast as numpy's product of a matrix and a vector, and always on one thread.
        faiss.fvec_inner_products_ny(  # type: ignore[attr-defined]
            faiss.swig_ptr(products[start:stop]), faiss.swig_ptr(query), faiss.swig_ptr(block), len(query), len(block)
        )
    return products


def _best_of_each_block(vectors: Vectors, query: Vectors, reach: int, rows: Rows | None) -> tuple[Vectors, Rows]:
    total = len(vectors) if rows is None else len(rows)
    scores, found = [], []
    for start in range(0, total, _BLOCK_ROWS):
        stop = min(start + _BLOCK_ROWS, total)
        block_rows = np.arange(start, stop, dtype=np.int64) if rows is None else rows[start:stop]
        # One query a call: FAISS switches to BLAS for many, whose sums differ in the last bit with the batch size.
        block_scores, places = faiss.knn(
            query[None, :], _block(vectors, block_rows), min(reach, stop - start), metric=faiss.METRIC_INNER_PRODUCT
        )
        scores.append(block_scores[0])
        found.append(block_rows[places[0]])
    return np.concatenate(scores), np.concatenate(found)


def _block(vectors: Vectors, rows: Rows) -> Vectors:
    """Those rows, as a view where they lie side by side (a category mostly does: rows are sorted by photo id)."""
    first, last = int(rows[0]), int(rows[-1])
    if last - first + 1 == len(rows):
        return vectors[first : last + 1]
    return vectors[rows]
