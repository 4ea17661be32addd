"""Photos that look the same as one result: the ranking is read as deep as it takes to fill a page with groups."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from PIL import Image

from index_builder.artifact import SearchHit, difference_hash, groups_of
from service.search.gallery_view import GalleryView
from service.search.paging import MOST_RANKED, Page
from service.search.query import SearchQuery
from service.search.scoring.confidence import Judged

T = TypeVar("T")
Groups = list[list[int]]
"""Positions of hits, best first, group by group: the photo that is answered, then those that look the same."""

# Photos that look the same have much the same score, so those of the last group of a page lie shortly behind it.
_LOOK_AHEAD = 16


def ranked_in_groups(
    view: GalleryView, query: SearchQuery, page: Page, rank: Callable[[SearchQuery], tuple[Judged, T]]
) -> tuple[Judged, Groups, T]:
    """What `rank` returns for a query that is deep enough for the page, and the groups of its hits.

    Without grouping, each hit is a group. With it, the depth is doubled until the page is full or the ranking ends,
    which it does after 10,000 photos. Photos that the first page answered lead groups on every later page: those that
    look the same come no more, wherever the exact ranking has them.
    """
    if not query.group_duplicates:
        answered, rest = rank(query)
        return answered, [[position] for position in range(len(answered.hits))], rest
    seen, depth = _rows_of(view, page.seen), min(2 * query.k + _LOOK_AHEAD, MOST_RANKED)
    while True:
        answered, rest = rank(replace(query, k=depth))
        groups = _groups(view, answered.hits, seen)
        unseen = sum(answered.hits[group[0]].row not in seen for group in groups)
        if unseen >= page.offset + page.k or len(answered.hits) < depth or depth >= MOST_RANKED:
            return answered, groups, rest
        depth = min(2 * depth, MOST_RANKED)


def _rows_of(view: GalleryView, keys: Sequence[int]) -> frozenset[int]:
    """The rows that a cursor's keys name; what is no longer there makes the cursor stale, which is found later."""
    online = {}
    if any(key < 0 for key in keys):
        online = {view.key_of(row): row for row in (view.index.count + view.online.live).tolist()}
    return frozenset(row for key in keys if (row := key if key >= 0 else online.get(key)) is not None)


def _groups(view: GalleryView, hits: Sequence[SearchHit], seen: frozenset[int]) -> Groups:
    if not hits:
        return []
    ranked = [hit.row for hit in hits]
    # What the first page answered counts even where the exact ranking has it deeper.
    beyond = sorted(seen.difference(ranked))
    rows = np.array([*beyond, *ranked], np.int64)
    # Vectors are read in ascending order of their rows, and put back into the order of the hits.
    order = np.argsort(rows)
    vectors = view.vectors(rows[order])[np.argsort(order)]
    first = [position for position, row in enumerate(rows.tolist()) if row in seen]
    groups = groups_of(_hashes(view, rows.tolist()), vectors, first)
    return [[position - len(beyond) for position in group] for group in groups if group[0] >= len(beyond)]


def _hashes(view: GalleryView, rows: Sequence[int]) -> list[int]:
    """The perceptual hash of each photo; where none is stored, that of its thumbnail."""
    stored = view.index.perceptual_hashes([row for row in rows if row < view.index.count])
    without = [row for row in rows if row not in stored]
    for row, photo in zip(without, view.photos(without), strict=True):
        with Image.open(io.BytesIO(view.thumbnail(photo.photo_id).jpeg)) as thumbnail:
            stored[row] = difference_hash(thumbnail)
    return [stored[row] for row in rows]
