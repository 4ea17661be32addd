"""Where each row of a gallery of several segments lies: rows count in the order of photo ids, over all segments.

So a gallery ranks its photos alike, ties included, however they are divided; a row that no entry names is deleted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from index_builder.stores.errors import StoreUnreadable
from models.arrays import Rows

ROWS = "rows.npy"

Places: TypeAlias = npt.NDArray[np.int32]
"""(G, 2): segment, and row within it, of each row of the gallery."""


class RowMap:
    """G rows over S segments. Immutable and thread-safe.

    Within a segment, rows ascend with the gallery's: segments are sorted by photo id as well.
    """

    def __init__(self, places: Places, sizes: Sequence[int]) -> None:
        """`sizes`: rows of each segment, deleted ones included. Raises StoreUnreadable when the two do not fit."""
        self.segment_of = np.ascontiguousarray(places[:, 0])
        self.row_within = np.ascontiguousarray(places[:, 1]).astype(np.int64)
        self._rows_of = [np.full(size, -1, np.int64) for size in sizes]
        self._live: list[Rows] = []
        for segment, (rows_of, size) in enumerate(zip(self._rows_of, sizes, strict=True)):
            rows = np.flatnonzero(self.segment_of == segment)
            within = self.row_within[rows]
            if len(within) and (within[0] < 0 or within[-1] >= size or np.any(np.diff(within) <= 0)):
                raise StoreUnreadable(ROWS, expected=f"ascending rows below {size}", actual=f"others in {segment}")
            rows_of[within] = rows
            within.flags.writeable = rows_of.flags.writeable = False
            self._live.append(within)
        if sum(map(len, self._live)) != len(places):
            raise StoreUnreadable(ROWS, expected=f"{len(sizes)} segments", actual="rows of others")

    @property
    def count(self) -> int:
        """Rows of the gallery (G)."""
        return len(self.segment_of)

    def size(self, segment: int) -> int:
        """Rows of a segment, deleted ones included."""
        return len(self._rows_of[segment])

    def live(self, segment: int) -> Rows:
        """Ascending rows within a segment that are not deleted."""
        return self._live[segment]

    def rows_of(self, segment: int, within: Rows) -> Rows:
        """Rows within a segment -> the gallery's rows, in the same order, without those that are deleted."""
        rows: Rows = self._rows_of[segment][within]
        return rows[rows >= 0]

    def split(self, rows: Rows) -> Iterator[tuple[int, Rows, Rows]]:
        """Ascending rows -> of each segment that has some: its number, positions in `rows`, rows within it."""
        segments = self.segment_of[rows]
        for segment in np.unique(segments).tolist():
            positions = np.flatnonzero(segments == segment)
            yield segment, positions, self.row_within[rows[positions]]


def read_places(path: Path, count: int) -> Places:
    """The places of `count` rows in a rows.npy. Raises StoreUnreadable."""
    try:
        places: Places = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise StoreUnreadable(path.name, expected="a .npy array", actual=str(error)) from error
    if places.shape != (count, 2) or places.dtype != np.int32:
        raise StoreUnreadable(path.name, expected=f"int32 {(count, 2)}", actual=f"{places.dtype} {places.shape}")
    return places
