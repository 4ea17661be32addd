"""Vectors as FAISS codes them: padded to a length that it compares in steps (`plan.code_dim`)."""

from __future__ import annotations

import numpy as np

from models.arrays import Vectors


def padded(vectors: Vectors, dim: int) -> Vectors:
    """(B, E) -> (B, dim) contiguous, with zeros behind: inner products stay what they are."""
    missing = dim - vectors.shape[1]
    return np.ascontiguousarray(np.pad(vectors, ((0, 0), (0, missing))) if missing else vectors, np.float32)
