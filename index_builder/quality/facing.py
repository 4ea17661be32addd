"""Whether the photos of a category face one way, so that a drawing that faces the other way is looked for mirrored.

Where they do, as product photos mostly do, a mirrored photo is less like the others than they are like each other, and
comparing a sketch both ways costs nothing. Where they face both ways, the mirrored sketch finds other photos instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from index_builder.artifact.filters.row_categories import RowCategories
from index_builder.artifact.manifest import Facing
from index_builder.artifact.segments.photos import PhotoTable
from index_builder.quality.probes import spread
from index_builder.stores.base import VectorStore
from models.arrays import Rows, Vectors
from models.bundle import Bundle, ImageEncoder, Pace, WrappedEncoder, embed, mirrored

SAMPLED_PHOTOS = 48  # per category: encoding more moves the figure by less than what separates categories
MIN_PHOTOS = 12  # per category: fewer face one way by chance
# Shoes measure 0.24 and chairs 0.11; of the 104 categories of Sketchy, whose photos face both ways, none is above 0.04.
ONE_WAY_ASYMMETRY = 0.06


class _Mirrored(WrappedEncoder):
    """An encoder that sees every image mirrored."""

    def encode(self, batch: Vectors) -> Vectors:
        return self.encoder.encode(mirrored(batch))


def measure_facing(
    photos: PhotoTable,
    store: VectorStore,
    bundle: Bundle,
    pace: Pace,
    done: Callable[[int, int], None],
    known: Mapping[str, Facing] = MappingProxyType({}),
) -> dict[str, Facing]:
    """Each category with enough photos, by name; "" holds those of no category. Row i of both stores is one photo.

    Up to 48 photos per category, evenly spread, are encoded mirrored, from their thumbnails: no original is read again.
    `done` is called with how many categories are measured, and with how many there are. `known`: what is taken as it
    is, by category.
    """
    samples = _sampled_rows(photos.row_categories())
    facing: dict[str, Facing] = {}
    for category, rows in samples.items():
        done(len(facing), len(samples))
        if category in known:
            facing[category] = known[category]
            continue
        upright, flipped = store.vectors_of(rows), _mirrored_vectors(photos, rows.tolist(), bundle.photo, pace)
        if bundle.parts is not None:  # what a photo shows is the same mirrored; where its lines are is not
            upright, flipped = bundle.parts.layout_of(upright), bundle.parts.layout_of(flipped)
        value = asymmetry(upright, flipped)
        facing[category] = Facing(one_way=value > ONE_WAY_ASYMMETRY, asymmetry=round(value, 4))
    done(len(samples), len(samples))
    return facing


def asymmetry(upright: Vectors, flipped: Vectors) -> float:
    """(N, E) unit rows of N photos and of the same photos mirrored, N > 1 -> (a - b) / (1 - b), at most 1.

    a: the mean cosine of two different photos; b: that of a mirrored photo with a different one. About 0 where photos
    face both ways or are symmetric.
    """
    alike, crossed = _mean_of_pairs(upright, upright), _mean_of_pairs(flipped, upright)
    return (alike - crossed) / max(1.0 - crossed, 1e-6)


def _mean_of_pairs(left: Vectors, right: Vectors) -> float:
    """(N, E), (N, E) -> the mean inner product of left row i and right row j over i != j."""
    count = len(left)
    own = float(np.einsum("ne,ne->", left, right, dtype=np.float64))
    every = float(left.sum(axis=0, dtype=np.float64) @ right.sum(axis=0, dtype=np.float64))
    return (every - own) / (count * (count - 1))


def _sampled_rows(categories: RowCategories) -> dict[str, Rows]:
    """Category of every row -> ascending rows to measure of each category that has enough photos, by name."""
    return {
        category: rows[spread(len(rows), SAMPLED_PHOTOS)]
        for category, rows in categories.rows()
        if len(rows) >= MIN_PHOTOS
    }


def _mirrored_vectors(photos: PhotoTable, rows: Sequence[int], encoder: ImageEncoder, pace: Pace) -> Vectors:
    """R rows -> (R, E): the unit embeddings of their photos mirrored."""
    thumbnails = [photos.thumbnail(record.photo_id).jpeg for record in photos.photos(rows)]
    return embed(_Mirrored(encoder), thumbnails, pace=pace)
