"""Which rows a filter matches, remembered for the filters that come back."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np

from index_builder.artifact.errors import CategoryNotFound
from index_builder.artifact.filters.conditions import PhotoFilter
from index_builder.artifact.segments.photos import PhotoTable
from models.arrays import Rows

REMEMBERED_FILTERS = 64  # at most 8 bytes per photo each: 1 GB for 2 million photos if each matched everything


class FilterMatches:
    """Rows by filter over the photos of one version. Thread-safe; a version never changes, so answers may be kept."""

    def __init__(self, photos: PhotoTable, *, remembered: int = REMEMBERED_FILTERS) -> None:
        """Reads the category of every row; `remembered`: filters whose rows are kept."""
        categories = photos.row_categories()
        self._photos = photos
        self._counts = categories.counts()
        self._codes = {name: code for code, name in enumerate(categories.names)}
        self._code_of_row = categories.codes
        self._remembered = remembered
        self._rows: OrderedDict[PhotoFilter, Rows] = OrderedDict()
        self._lock = threading.Lock()

    def category_counts(self) -> list[tuple[str, int]]:
        """(category, photos in it) by name; "" holds the photos of no category."""
        return list(self._counts.items())

    def rows(self, where: PhotoFilter) -> Rows:
        """Ascending rows of the photos that match, read-only. Raises CategoryNotFound, FilterInvalid."""
        with self._lock:
            if where in self._rows:
                self._rows.move_to_end(where)
                return self._rows[where]
        # Outside of the lock: a slow filter holds up no other one; at worst two threads compute the same rows.
        rows = self._match(where)
        rows.flags.writeable = False
        with self._lock:
            self._rows[where] = rows
            while len(self._rows) > self._remembered:
                self._rows.popitem(last=False)
        return rows

    def _match(self, where: PhotoFilter) -> Rows:
        codes = []
        for category in sorted(where.categories):
            if category not in self._codes:
                raise CategoryNotFound(f"no photo of this gallery has the category {category!r}")
            codes.append(self._codes[category])
        matching = np.isin(self._code_of_row, codes) if codes else np.ones(len(self._code_of_row), dtype=bool)
        if where.conditions:
            met = np.zeros(len(self._code_of_row), dtype=bool)
            met[self._photos.rows_where(where.conditions)] = True
            matching &= met
        if where.words:
            worded = np.zeros(len(self._code_of_row), dtype=bool)
            worded[self._photos.rows_with(where.words)] = True
            matching &= worded
        return np.flatnonzero(matching)
