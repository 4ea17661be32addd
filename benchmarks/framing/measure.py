"""What of a drawing's answer is left on another page: the ten best photos, and the photo that it was drawn from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from benchmarks.framing.pages import Page, Strokes
from models.adapters import CategoryAdapter
from models.arrays import Rows, Vectors
from models.bundle import Bundle, Frame, ImageError, Purpose, mirrored, rasterise_strokes
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

    `kept` (Q,): of the ten best photos for the drawing's strokes, among everything. For drawings with a photo of their
    own, in a search within its category: `kept_within` the same, and `first`, how many have it first. `unreadable`:
    drawings that were rejected; nothing is kept of them.
    """

    kept: Vectors
    kept_within: float
    first: float
    unreadable: int


def measure(
    bundle: Bundle, material: Material, pages: Mapping[str, Page], frame: Frame
) -> Iterator[tuple[str, Answered]]:
    """Every drawing on every page. A mirrored one is searched both ways, as where photos face one way."""
    own = len(material.targets)

    def scores(images: Sequence[Image.Image], *, both_ways: bool = False) -> tuple[Vectors, Vectors, Rows]:
        views, readable = encoded(bundle, images, Purpose(frame, alone=True), both_ways=both_ways)
        within, _ = encoded(bundle, images[:own], Purpose(frame, in_detail=True, alone=True), both_ways=both_ways)
        return np.max(views @ material.photos.T, axis=0), _scores_within(bundle, material.category, within), readable

    everything, category, _ = scores([rasterise_strokes(drawing) for drawing in material.drawings])
    usual, usual_within = top_columns(everything, TEN), top_columns(category, TEN)
    for name, page in pages.items():
        everything, category, readable = scores(
            [page(drawing) for drawing in material.drawings], both_ways=name == "mirrored"
        )
        ranks = ranks_of(category, material.targets)
        ranks[np.isin(np.arange(own), readable, invert=True)] = category.shape[1]
        yield (
            name,
            Answered(
                _kept(usual, top_columns(everything, TEN), readable),
                float(_kept(usual_within, top_columns(category, TEN), readable[readable < own]).mean()),
                accuracy_at(ranks, 1),
                len(usual) - len(readable),
            ),
        )


def encoded(
    bundle: Bundle,
    images: Sequence[Image.Image],
    purpose: Purpose,
    *,
    both_ways: bool = False,
) -> tuple[Vectors, Rows]:
    """N sketches -> (1, N, E) or, both ways round, (2, N, E), and the rows that could be read; the others are 0."""
    inputs: dict[int, Vectors] = {}
    for row, image in enumerate(images):
        try:
            inputs[row] = bundle.sketch.prepare(image, purpose)
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


def _scores_within(bundle: Bundle, category: Vectors, views: Vectors) -> Vectors:
    """(ways, Q, E) sketches -> (Q, G') by the better way round."""
    compared = (lambda rows: rows) if bundle.parts is None else bundle.parts.layout_of
    layouts = compared(category)
    adapter = CategoryAdapter.centred(layouts)
    photos = adapter.embed_photos(layouts)
    scores: Vectors = np.max([adapter.scores(adapter.embed_sketches(compared(view)), photos) for view in views], axis=0)
    return scores


def _kept(usual: Rows, found: Rows, readable: Rows) -> Vectors:
    kept = np.zeros(len(usual), np.float32)
    for row in readable.tolist():
        kept[row] = len(set(usual[row].tolist()) & set(found[row].tolist())) / usual.shape[1]
    return kept
