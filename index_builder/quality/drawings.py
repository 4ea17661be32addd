"""Drawings made from the gallery's own photos, which stand in for sketches where a build is given none.

A photo's strongest edges, on a page that is bent a little. The sketch encoder places them where it places sketches: off
the photos' own distribution, on which an approximate index is tuned and looks better than it is.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
from PIL import Image

from index_builder.artifact.segments.photos import PhotoTable
from index_builder.quality.probes import MAX_QUERIES, Probe, spread
from models.bundle import Embedded, Encoder
from models.images.line_drawing import PAGE_PX, drawn


def drawn_probe(photos: PhotoTable, encoder: Encoder, max_queries: int = MAX_QUERIES) -> Probe | None:
    """Drawings of photos that are evenly spread over the gallery; None where no photo has edges that can be drawn."""
    rows = spread(photos.count(), max_queries).tolist()
    outcomes = encoder.embed_stream(_drawings(photos, rows), lambda _: None)
    vectors = [outcome.vector for outcome in outcomes if isinstance(outcome, Embedded)]
    if not vectors:
        return None
    return Probe(np.stack(vectors), "drawings", unusable=len(rows) - len(vectors))


def _drawings(photos: PhotoTable, rows: list[int]) -> Iterator[Image.Image]:
    for record in photos.photos(rows):
        with Image.open(io.BytesIO(photos.thumbnail(record.photo_id).jpeg)) as thumbnail:
            page = drawn(thumbnail, record.row)
        # An empty page is unusable, as an empty sketch is.
        yield page or Image.new("L", (PAGE_PX, PAGE_PX), 255)
