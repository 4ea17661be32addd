"""A vector's primary key in Milvus: the segment that it lies in and its row there, in one int64."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from index_builder.stores.row_map import RowMap
from models.arrays import Rows

_ROW_BITS = 38  # 2.7e11 rows in a segment; the other 24 bits tell the segments of one collection apart
_MIN_RUN = 3  # adjacent keys from which on a range is shorter than the list of them


def base_key(segment: str) -> int:
    """The key of row 0 of the segment of that name, which begins with hexadecimal digits."""
    return int(segment[:6], 16) << _ROW_BITS


def partition_name(segment: str) -> str:
    """The partition of a segment; Milvus's names begin with a letter."""
    return f"segment_{segment}"


class SegmentKeys:
    """The keys of a gallery's rows. Immutable and thread-safe."""

    def __init__(self, segments: Sequence[str], row_map: RowMap) -> None:
        """`segments`: names, in the order of `row_map`; their first six digits differ."""
        self._map = row_map
        self._bases = np.array([base_key(name) for name in segments], np.int64)
        self._number_of = {int(base): number for number, base in enumerate(self._bases)}

    def of_rows(self, rows: Rows) -> Rows:
        """(R,) rows of the gallery -> (R,) keys, in their order."""
        keys: Rows = self._bases[self._map.segment_of[rows]] + self._map.row_within[rows]
        return keys

    def rows_of(self, keys: Rows) -> Rows:
        """Keys that a search returned -> ascending rows, without those that the gallery has deleted."""
        bases = keys >> _ROW_BITS << _ROW_BITS
        found = [
            self._map.rows_of(self._number_of[base], keys[bases == base] - base)
            for base in np.unique(bases).tolist()
            if base in self._number_of
        ]
        rows: Rows = np.sort(np.concatenate(found)) if found else np.empty(0, np.int64)
        return rows


def expression(keys: Rows, most_terms: int) -> str | None:
    """Distinct keys -> Milvus's boolean expression for exactly these; None where it has more than `most_terms` terms.

    Rows are in the order of photo ids, which begin with the category in most galleries, so that a category is a range.
    """
    keys = np.sort(keys)
    starts = np.flatnonzero(np.diff(keys, prepend=keys[0] - 2) != 1)
    ends = np.append(starts[1:], len(keys))
    is_run = ends - starts >= _MIN_RUN
    runs = np.column_stack([keys[starts], keys[ends - 1]])[is_run].tolist()
    single = keys[np.repeat(~is_run, ends - starts)].tolist()
    if len(runs) + len(single) > most_terms:
        return None
    terms = [f"(key >= {first} and key <= {last})" for first, last in runs]
    return " or ".join([*terms, f"key in {single}"] if single else terms)
