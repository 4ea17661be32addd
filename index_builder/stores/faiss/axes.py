"""What a FAISS index compares of a vector: all of its numbers, padded, or its coordinates on a gallery's main axes."""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np

from index_builder.stores.plan import SearchPlan, code_dim
from models.arrays import Vectors


def padded(vectors: Vectors, dim: int) -> Vectors:
    """(B, E) -> (B, dim) contiguous, with zeros behind: inner products stay what they are."""
    missing = dim - vectors.shape[1]
    return np.ascontiguousarray(np.pad(vectors, ((0, 0), (0, missing))) if missing else vectors, np.float32)


def empty_index(plan: SearchPlan, dim: int) -> Any:
    """The plan's FAISS index, untrained, over vectors of length `dim`. Scores are inner products."""
    assert plan.factory is not None, "an exact plan has no FAISS index"
    compared = code_dim(plan, dim)
    own = plan.factory.removeprefix(f"SVD{compared},")
    index = faiss.index_factory(compared, own, faiss.METRIC_INNER_PRODUCT)
    return index if own == plan.factory else faiss.IndexPreTransform(faiss.LinearTransform(dim, compared), index)


def find_axes(index: Any, sample: Vectors) -> None:
    """Let an `empty_index` with coordinates take those on the axes that (S, E) vectors have most of their length on.

    They are the singular vectors of the sample, not of its differences from a mean: what is to be kept is the inner
    product of any query with the gallery's vectors.
    """
    axes: Any = faiss.downcast_VectorTransform(index.chain.at(0))
    _, vectors = np.linalg.eigh((sample.T @ sample).astype(np.float64))
    kept = vectors[:, ::-1][:, : axes.d_out].T
    faiss.copy_array_to_vector(np.ascontiguousarray(kept, np.float32).ravel(), axes.A)
    axes.is_trained = True


def has_axes(index: Any) -> bool:
    """Whether it compares coordinates on axes of its own."""
    return isinstance(index, faiss.IndexPreTransform)


def own_index(index: Any) -> Any:
    """What compares them: the index itself, or the one behind the coordinates."""
    return faiss.downcast_index(index.index) if has_axes(index) else index


def search_parameters(index: Any, own: Any) -> Any:
    """What a call of its search takes, for parameters of its `own_index`."""
    wrapped: Any = faiss.SearchParametersPreTransform  # FAISS's type hints do not know the keyword constructor
    return wrapped(index_params=own) if has_axes(index) else own
