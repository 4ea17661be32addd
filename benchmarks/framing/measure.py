"""What of a drawing's answer is left on another page: the ten best photos, and the photo that it was drawn from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from benchmarks.framing.pages import Page, Strokes
from models.adapters import CategoryAdapter
from models.arrays import Rows, Vectors
from models.bundle import Bundle, Frame, ImageError, mirrored, rasterise_strokes
from models.evaluation.metrics import accuracy_at
from models.ranking import ranks_of, top_columns

TEN = 10
_BATCH = 16


@dataclass(frozen=True)
class Material:
    """`drawings` are searched among `photos` (G, E), all kinds of them.

    The first drawings show a photo of `category` (G', E), at the columns `targets`; there may be more drawings than
    targets, of things that no photo was drawn from.
    """

    drawings: Sequence[Strokes]
    photos: Vectors
    category: Vectors
    targets: Rows


@dataclass(frozen=True)
class Answered:
    """How the drawings are answered on a page: shares in [0, 1], `kept` per drawing.

    `kept` (Q,): of the ten best photos for the drawing's strokes. `first`: of the drawings with a photo of their own,
    how many have it first within its category. `unreadable`: drawings that were rejected; nothing is kept of them.
    """

    kept: Vectors
    first: float
    unreadable: int


def measure(
    bundle: Bundle, material: Material, pages: Mapping[str, Page], frame: Frame
) -> Iterator[tuple[str, Answered]]:
    """Every drawing on every page. A mirrored one is searched both ways, as where photos face one way."""
    (strokes,), _ = encoded(bundle, [rasterise_strokes(drawing) for drawing in material.drawings], frame)
    usual = top_columns(strokes @ material.photos.T, TEN)
    for name, page in pages.items():
        images = [page(drawing) for drawing in material.drawings]
        views, readable = encoded(bundle, images, frame, both_ways=name == "mirrored")
        yield name, _answered(bundle, material, usual, views, readable)


def encoded(
    bundle: Bundle, images: Sequence[Image.Image], frame: Frame, *, both_ways: bool = False
) -> tuple[Vectors, Rows]:
    """N sketches -> (1, N, E) or, both ways round, (2, N, E), and the rows that could be read; the others are 0."""
    inputs: dict[int, Vectors] = {}
    for row, image in enumerate(images):
        try:
            inputs[row] = bundle.sketch.prepare(image, frame)
        except ImageError:
            continue
    turns: tuple[Callable[[Vectors], Vectors], ...] = (lambda x: x, mirrored) if both_ways else (lambda x: x,)
    vectors = np.zeros((len(turns), len(images), bundle.embedding_dim), np.float32)
    rows = np.array(list(inputs), np.int64)
    for turn, view in enumerate(turns):
        for start in range(0, len(rows), _BATCH):
            chosen = rows[start : start + _BATCH]
            batch = np.stack([view(inputs[row]) for row in chosen.tolist()])
            vectors[turn, chosen] = bundle.sketch.encode(batch)
    return vectors, rows


def _answered(bundle: Bundle, material: Material, usual: Rows, views: Vectors, readable: Rows) -> Answered:
    found = top_columns(np.max(views @ material.photos.T, axis=0), TEN)
    kept = np.zeros(len(usual), np.float32)
    for row in readable.tolist():
        kept[row] = len(set(usual[row].tolist()) & set(found[row].tolist())) / usual.shape[1]
    within = (lambda rows: rows) if bundle.parts is None else bundle.parts.layout_of
    layouts = within(material.category)
    adapter = CategoryAdapter.centred(layouts)
    photos = adapter.embed_photos(layouts)
    own = len(material.targets)
    scores = np.max([adapter.scores(adapter.embed_sketches(within(v[:own])), photos) for v in views], axis=0)
    ranks = ranks_of(scores, material.targets)
    ranks[np.isin(np.arange(own), readable, invert=True)] = len(photos)
    return Answered(kept, accuracy_at(ranks, 1), len(usual) - len(readable))
