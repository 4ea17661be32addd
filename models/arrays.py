"""The two array types that embeddings travel in, between every part of the product. They import nothing of ours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""(N, E) or (E,): embeddings, rows of length 1 where nothing else is said."""

Rows = NDArray[np.int64]
"""(N,): row numbers of photos or sketches in such an array."""
