"""Figures of a bundle on validation splits, through its ONNX files, and how two bundles differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import Vectors
from models.bundle import Bundle, EmbeddingParts, ForPurpose, embed
from models.evaluation.dataset_evaluation import FIGURES, query_values
from models.evaluation.intervals import bootstrap
from models.evaluation.protocol import (
    BothFigures,
    CategoryGallery,
    EncodePhotos,
    EncodeSketches,
    measure_both,
    ranks_both,
)
from models.evaluation.purposes import of_category
from models.export.parity import Parity, compare, pooled

Galleries = Mapping[str, Sequence[CategoryGallery]]

_SHOWN = ("acc_at_1", "acc_at_10")
_RULE = "|---|---|---|---|---|---|"


@dataclass(frozen=True)
class SplitRows:
    """A split's galleries, and of each the embeddings of its sketches (Q, E) and of its photos (G, E)."""

    galleries: tuple[CategoryGallery, ...]
    rows: tuple[tuple[Vectors, Vectors], ...]
    parts: EmbeddingParts | None = None

    def figures(self) -> BothFigures:
        """The figures of every sketch searched among its category's photos."""
        return measure_both(self.galleries, *self._encoders())

    def intervals(self) -> dict[str, dict[str, list[float]]]:
        """95 % intervals over photos of acc@1 and acc@10, by how they are scored; empty with fewer than two photos."""
        keys = [query.photo for gallery in self.galleries for query in gallery.queries]
        numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        photos = np.array([numbers[key] for key in keys], dtype=np.int64)
        found = {}
        for name, ranks in zip(("plain", "centred"), ranks_both(self.galleries, *self._encoders()), strict=True):
            bounds = bootstrap(query_values(ranks), photos)
            if bounds is not None:
                by_figure = dict(zip(FIGURES, bounds, strict=True))
                found[name] = {
                    figure: [round(by_figure[figure].low, 4), round(by_figure[figure].high, 4)] for figure in _SHOWN
                }
        return found

    def served_ranks(self) -> NDArray[np.int64]:
        """(Q,) rank of every sketch's photo among its category's, mean-centred as a search within it is served."""
        return ranks_both(self.galleries, *self._encoders())[1]

    def _encoders(self) -> tuple[EncodeSketches, EncodePhotos]:
        """The embeddings by what they were made of: everything is encoded already, and need only be looked up."""
        within = (lambda rows: rows) if self.parts is None else self.parts.layout_of
        sketches = {gallery.queries: within(rows) for gallery, (rows, _) in zip(self.galleries, self.rows, strict=True)}
        photos = {gallery.photos: within(rows) for gallery, (_, rows) in zip(self.galleries, self.rows, strict=True)}
        return lambda queries: sketches[tuple(queries)], lambda gallery: photos[tuple(gallery)]

    def parity(self, other: SplitRows, tolerance: float) -> Parity:
        """How another bundle's embeddings of the same images differ, in numbers and in top tens."""
        pairs = zip(self.rows, other.rows, strict=True)
        return pooled([compare(mine, theirs, tolerance=tolerance) for mine, theirs in pairs])


def encode_splits(bundle: Bundle, galleries: Galleries) -> dict[str, SplitRows]:
    """Every image of the splits through the bundle, as the service would encode it for a search within its category."""
    return {
        name: SplitRows(
            tuple(parts),
            tuple(
                (
                    embed(
                        ForPurpose(bundle.sketch, of_category(bundle, gallery.category, gallery.photos)),
                        (query.sketch.image for query in gallery.queries),
                    ),
                    bundle.photo.embed(photo.path for photo in gallery.photos),
                )
                for gallery in parts
            ),
            bundle.parts,
        )
        for name, parts in galleries.items()
    }


def as_metrics(rows: Mapping[str, SplitRows]) -> dict[str, dict[str, Any]]:
    """By split, for a manifest: the figures of plain cosines, and under `centred` those of mean-centred ones.

    `intervals` of both: [low, high] of acc@1 and acc@10, over photos.
    """
    return {name: _split_metrics(split.figures(), split.intervals()) for name, split in rows.items()}


def _split_metrics(both: BothFigures, intervals: Mapping[str, Any]) -> dict[str, Any]:
    return {**both.plain.as_dict(), "centred": both.centred.as_dict(), "intervals": dict(intervals)}


def as_table(figures: Mapping[str, BothFigures]) -> str:
    """Markdown, in percent."""
    rows = [
        f"| {name} | {both.plain.queries} | "
        + " | ".join(f"{100 * f.acc_at_1:.1f} | {100 * f.acc_at_10:.1f}" for f in (both.centred, both.plain))
        + " |"
        for name, both in figures.items()
    ]
    heading = "| split | sketches | acc@1 | acc@10 | acc@1, plain cosines | acc@10, plain cosines |"
    return "\n".join([heading, _RULE, *rows])
