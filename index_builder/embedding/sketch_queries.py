"""Sketches to measure an index with, as embeddings: what real queries look like to it."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from index_builder.errors import GalleryInvalid
from index_builder.quality import MAX_QUERIES, spread
from models.arrays import Vectors
from models.bundle import Bundle, ImageError, ImageLimits, decode_image

_SKETCH_COLUMN = "sketch_path"


@dataclass(frozen=True)
class SketchQueries:
    """Unit embeddings (Q, E) of sketches; `unusable` of them could not be read or held no drawing."""

    queries: Vectors
    unusable: int


def embed_sketches(source: Path, bundle: Bundle, max_queries: int = MAX_QUERIES) -> SketchQueries:
    """A folder of sketches, or a manifest.csv with a column sketch_path; evenly thinned to `max_queries`.

    Raises GalleryInvalid when there is nothing usable.
    """
    paths = _listed(source) if source.is_file() else _scanned(source)
    chosen = [paths[place] for place in spread(len(paths), max_queries)] if paths else []
    vectors = []
    for path in chosen:
        try:
            image = decode_image(path.read_bytes(), ImageLimits(), matte="contrast").image
            vectors.append(bundle.sketch.encode(bundle.sketch.prepare(image)[None])[0])
        except (ImageError, OSError):
            continue
    if not vectors:
        raise GalleryInvalid(f"no usable sketch in {source} ({len(paths)} files looked at)")
    return SketchQueries(np.stack(vectors), unusable=len(chosen) - len(vectors))


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
