"""Every view that the study's ways read of a sketch or a photo, encoded once and cached: one row of numbers for each.

A row is layout | kind | cells | drawn | closer | lined | cells of those, each piece of length 1 but for cells. Sketches
have zeros in the last four.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from models.adapters.adapter import unit_rows
from models.arrays import Vectors
from models.bundle import Bundle, EmbeddingParts, ImageEncoder, Runtime
from models.data.datasets import PairDataset
from models.evaluation.few_shot.material import EmbeddedPart
from models.studies.adaptation_directions.cells import CellEncoder
from models.studies.adaptation_directions.photo_views import CloserEncoder, DrawnEncoder, LinedEncoder
from models.training.recipes.adaptive.spaces import cached_part

DRAWINGS = 4
"""Drawings made of each photo by the training's generator."""
LINES = 6
"""Drawings made of each photo by `models.images.line_drawing`, as the service makes them."""


@dataclass(frozen=True)
class Columns:
    """Where the pieces of a row lie. `cells`: numbers of the layout head's input, its grid flattened last."""

    layout: int
    kind: int
    cells: int
    drawings: int = DRAWINGS
    lines: int = LINES

    @cached_property
    def _ends(self) -> tuple[int, ...]:
        of_photos = (self.drawings * self.layout, self.layout, self.lines * self.layout, self.lines * self.cells)
        return tuple(int(end) for end in np.cumsum((0, self.layout, self.kind, self.cells, *of_photos)))

    def _piece(self, rows: Vectors, number: int) -> Vectors:
        return rows[:, self._ends[number] : self._ends[number + 1]]

    def layout_of(self, rows: Vectors) -> Vectors:
        """(N, all) -> (N, E)."""
        return self._piece(rows, 0)

    def kind_of(self, rows: Vectors) -> Vectors:
        """(N, all) -> (N, kind)."""
        return self._piece(rows, 1)

    def cells_of(self, rows: Vectors) -> Vectors:
        """(N, all) -> (N, C * cells)."""
        return self._piece(rows, 2)

    def drawn_of(self, rows: Vectors) -> Vectors:
        """(N, all) photos -> (N, drawings, E) embeddings of the drawings made of them."""
        return self._piece(rows, 3).reshape(len(rows), self.drawings, self.layout)

    def closer_of(self, rows: Vectors) -> Vectors:
        """(N, all) photos -> (N, E) embeddings of their middle."""
        return self._piece(rows, 4)

    def lined_of(self, rows: Vectors) -> Vectors:
        """(N, all) photos -> (N, lines, E) embeddings of their line drawings."""
        return self._piece(rows, 5).reshape(len(rows), self.lines, self.layout)

    def lined_cells_of(self, rows: Vectors) -> Vectors:
        """(N, all) photos -> (N, lines, C * cells): what those were projected from."""
        return self._piece(rows, 6).reshape(len(rows), self.lines, self.cells)


@dataclass(frozen=True)
class _Pair:
    """An encoder pair whose embeddings are taken whole. `bundle_id` also names the view, for the cache."""

    bundle_id: str
    sketch: ImageEncoder
    photo: ImageEncoder
    parts: EmbeddingParts | None = None


def viewed(
    bundle: Bundle, part: PairDataset, name: str, cache: Path, log: Callable[[str], object]
) -> tuple[EmbeddedPart, Columns]:
    """A split's rows, and where their pieces lie. Raises BundleCorrupt (no layout head), EmbeddingsNotFinite."""
    runtime, identity = Runtime(device="cpu", threads=1), bundle.bundle_id
    cells = [
        CellEncoder.of(encoder, bundle.path / spec.file, runtime)
        for encoder, spec in ((bundle.sketch, bundle.manifest.sketch), (bundle.photo, bundle.manifest.photo))
    ]
    # Sketches are the same in the last views; those without records encode none of them again.
    unpaired = replace(part, records=())
    of_cells = _Pair(f"{identity}-cells", cells[0], cells[1])
    # By a name of its own: under the bundle's, a cache holds what adapters work on, the layout alone.
    pairs = [(_Pair(f"{identity}-whole", bundle.sketch, bundle.photo), part), (of_cells, part)]
    pairs += [
        (_Pair(f"{identity}-drawn{seed}", bundle.sketch, DrawnEncoder(bundle.photo, bundle.sketch, seed)), unpaired)
        for seed in range(DRAWINGS)
    ]
    pairs.append((_Pair(f"{identity}-closer", bundle.sketch, CloserEncoder(bundle.photo)), unpaired))
    pairs += [
        (_Pair(f"{identity}-{kind}{seed}", bundle.sketch, LinedEncoder(bundle.photo, encoder, seed)), unpaired)
        for kind, encoder in (("lined", bundle.sketch), ("lined-cells", cells[0]))
        for seed in range(LINES)
    ]
    encoded = []
    for pair, records in pairs:
        log(f"encoding {name} by {pair.bundle_id}, unless cached")
        encoded.append(cached_part(pair, records, name, cache))
    whole, celled, *of_photos = encoded
    parts = bundle.parts or EmbeddingParts(layout_dim=bundle.embedding_dim, kind_dim=0, layout_weight=1.0)
    celled_lines, of_photos = of_photos[-LINES:], of_photos[:-LINES]
    photos = [*_divided(whole.photos, parts), celled.photos, *(_layout(each.photos, parts) for each in of_photos)]
    photos += [each.photos for each in celled_lines]
    sketches = [*_divided(whole.sketches, parts), celled.sketches]
    absent = np.zeros((len(whole.sketches), sum(each.shape[1] for each in photos[3:])), np.float32)
    columns = Columns(parts.layout_dim, parts.kind_dim, celled.photos.shape[1])
    rows = replace(whole, sketches=np.concatenate([*sketches, absent], axis=1), photos=np.concatenate(photos, axis=1))
    return rows, columns


def _divided(embeddings: Vectors, parts: EmbeddingParts) -> tuple[Vectors, Vectors]:
    return _layout(embeddings, parts), unit_rows(embeddings[:, parts.layout_dim :])


def _layout(embeddings: Vectors, parts: EmbeddingParts) -> Vectors:
    return unit_rows(embeddings[:, : parts.layout_dim])
