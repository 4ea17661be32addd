"""The category of each row as a number, written once a photos.sqlite is complete: opening a gallery counts nothing.

Two tables: the names, in the order in which rows first have them, and the codes of some rows at a time. Files of
earlier releases lack both, and have their categories read row by row.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from models.arrays import Rows

Codes = npt.NDArray[np.int32]

_BLOCK_ROWS = 2**16  # of one entry: bounds what a build keeps, and SQLite's longest value is 10^9 bytes


@dataclass(frozen=True)
class RowCategories:
    """`names` (C,) sorted, each of some row; `codes` (G,): the position among them of each row's category."""

    names: tuple[str, ...]
    codes: Codes

    @classmethod
    def of(cls, names: Sequence[str], codes: Codes) -> RowCategories:
        """Of `names` in any order, some of which no row may have."""
        used = np.flatnonzero(np.bincount(codes, minlength=len(names)))
        order = sorted(used.tolist(), key=lambda code: names[code])
        renumbered = np.zeros(len(names), np.int32)
        renumbered[order] = np.arange(len(order), dtype=np.int32)
        return cls(tuple(names[code] for code in order), renumbered[codes])

    @classmethod
    def read_from(cls, categories: Iterable[str]) -> RowCategories:
        """Of the category of each row, in row order."""
        known: dict[str, int] = {}
        codes = np.fromiter((known.setdefault(name, len(known)) for name in categories), np.int32)
        return cls.of(tuple(known), codes)

    def counts(self) -> dict[str, int]:
        """Rows of each category, by name."""
        counts = np.bincount(self.codes, minlength=len(self.names)).tolist()
        return dict(zip(self.names, counts, strict=True))

    def rows(self) -> Iterator[tuple[str, Rows]]:
        """Each category with its ascending rows, by name."""
        order = np.argsort(self.codes, kind="stable")
        ends = np.cumsum(np.bincount(self.codes, minlength=len(self.names)))
        return zip(self.names, np.split(order, ends[:-1]), strict=True)


def write_row_categories(database: sqlite3.Connection) -> None:
    """Write both tables of a database whose photos are complete. Raises sqlite3.Error."""
    database.execute("CREATE TABLE category_names (code INTEGER PRIMARY KEY, name TEXT NOT NULL)")
    database.execute("CREATE TABLE row_categories (first_row INTEGER PRIMARY KEY, codes BLOB NOT NULL)")
    known: dict[str, int] = {}
    rows = database.execute("SELECT category FROM photos ORDER BY row")
    first = 0
    while block := [known.setdefault(name, len(known)) for (name,) in islice(rows, _BLOCK_ROWS)]:
        database.execute("INSERT INTO row_categories VALUES (?, ?)", (first, np.array(block, "<i4").tobytes()))
        first += len(block)
    database.executemany("INSERT INTO category_names VALUES (?, ?)", ((code, name) for name, code in known.items()))


def parsed_categories(names: Sequence[str], blocks: Iterable[bytes]) -> RowCategories:
    """The names by code and the codes block by block, as they were written. Raises ValueError where they do not fit."""
    codes = np.concatenate([np.empty(0, np.int32), *(np.frombuffer(block, "<i4") for block in blocks)]).astype(np.int32)
    if len(codes) and not 0 <= int(codes.min()) <= int(codes.max()) < len(names):
        raise ValueError(f"codes of {len(names)} categories")
    return RowCategories.of(names, codes)
