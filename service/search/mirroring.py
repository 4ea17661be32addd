"""The drawing and its mirror image: which photos are compared with both, and the better of two scores.

An index tells which categories' photos face one way. There the mirrored drawing costs nothing; elsewhere it would find
other photos before the right one, so `mirror=auto` leaves it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from index_builder.artifact import PhotoFilter, SearchHit
from models.arrays import Rows, Vectors
from service.search.gallery_view import GalleryView
from service.search.query import SearchQuery


@dataclass(frozen=True)
class MirrorScope:
    """The photos that a mirrored drawing is compared with: ascending `rows`, or all that the query admits (None)."""

    rows: Rows | None = None


@dataclass(frozen=True)
class MirroredSketch:
    """`vector` (E,): the unit embedding of the mirrored drawing."""

    vector: Vectors
    scope: MirrorScope


def mirror_scope(view: GalleryView, query: SearchQuery, where: PhotoFilter | None) -> MirrorScope | None:
    """What the mirrored drawing is to be compared with; None where it need not be encoded.

    Under `auto`, the photos of categories that face one way, and none where photos are compared by kind, which does
    not depend on where a thing faces. Raises CategoryNotFound, FilterInvalid.
    """
    if query.mirror != "auto":
        return MirrorScope() if query.mirror == "true" else None
    one_way = view.one_way_rows
    if not len(one_way) or query.focus == "kind":
        return None
    if where is None:
        # None rather than the list of all rows: nothing has to be filtered out of what an approximate index proposes.
        return MirrorScope() if len(one_way) == view.count else MirrorScope(one_way)
    admitted = view.rows_where(where)
    rows = np.intersect1d(admitted, one_way, assume_unique=True)
    if not len(rows):
        return None
    return MirrorScope() if len(rows) == len(admitted) else MirrorScope(rows)


def better_of(
    upright: Sequence[SearchHit], mirrored: Sequence[SearchHit], k: int
) -> tuple[list[SearchHit], frozenset[int]]:
    """The k best of both by each photo's higher score, ties by row; and the rows whose mirrored score is the higher.

    With the k best of each, no photo is missed: whoever has fewer than k better ones has so by its higher score, too.
    """
    best = {hit.row: hit for hit in upright}
    flipped = {hit.row: hit for hit in mirrored if hit.row not in best or hit.score > best[hit.row].score}
    merged = sorted((best | flipped).values(), key=lambda hit: (-hit.score, hit.row))[:k]
    return merged, frozenset(hit.row for hit in merged if hit.row in flipped)
