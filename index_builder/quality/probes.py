"""Queries to measure recall with: sketches where there are some, else what stands in for them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from index_builder.errors import GalleryInvalid
from index_builder.stores.base import VectorStore
from models.arrays import Rows, Vectors
from models.bundle import Embedded, Encoder

MAX_QUERIES = 500  # each costs an exact search of the whole gallery

_SKETCH_COLUMN = "sketch_path"


@dataclass(frozen=True)
class Probe:
    """Queries (Q, E), unit rows, and what they are.

    `own_rows` (Q,): rows of the store that are these very vectors and do not count as answers; None where there are
    none. `unusable`: sketches of `source` that could not be read or held no drawing.
    """

    queries: Vectors
    kind: Literal["sketches", "drawings", "photos"]
    own_rows: Rows | None = None
    source: str | None = None
    unusable: int = 0


def photo_probe(store: VectorStore, max_queries: int = MAX_QUERIES) -> Probe:
    """Photos of the gallery, evenly spread, as stand-ins for sketches: each looks for its neighbours, not itself."""
    rows = spread(store.count, max_queries)
    return Probe(store.vectors_of(rows), "photos", own_rows=rows)


def sketch_probe(source: Path, encoder: Encoder, max_queries: int = MAX_QUERIES) -> Probe:
    """A folder of sketches, or a manifest.csv with a column sketch_path; evenly thinned to `max_queries`.

    Raises GalleryInvalid when there is nothing usable.
    """
    paths = _listed(source) if source.is_file() else _scanned(source)
    chosen = [paths[position] for position in spread(len(paths), max_queries)] if paths else []
    outcomes = encoder.embed_stream(chosen, lambda _: None)
    vectors = [outcome.vector for outcome in outcomes if isinstance(outcome, Embedded)]
    if not vectors:
        raise GalleryInvalid(f"no usable sketch in {source} (files read: {len(chosen)})")
    return Probe(np.stack(vectors), "sketches", source=str(source), unusable=len(chosen) - len(vectors))


def spread(count: int, at_most: int) -> Rows:
    """At most that many of `count` positions, evenly spread, the same ones each time."""
    # Even, not random: two builds of one gallery measure with the same queries.
    return np.unique(np.linspace(0, count - 1, num=min(count, at_most)).round().astype(np.int64))


def _scanned(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise GalleryInvalid(f"no folder of sketches and no manifest at {folder}")
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


def _listed(manifest: Path) -> list[Path]:
    try:
        with manifest.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise GalleryInvalid(f"{manifest} cannot be read as a CSV manifest: {error}") from error
    if not rows or _SKETCH_COLUMN not in rows[0]:
        raise GalleryInvalid(f"{manifest} has no column {_SKETCH_COLUMN}, or no rows")
    return sorted({manifest.parent / row[_SKETCH_COLUMN] for row in rows if row[_SKETCH_COLUMN]})
