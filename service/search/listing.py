"""The gallery in its own order, page by page: the index's photos by their ids, then uploads as they came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from index_builder.artifact import PhotoNotFound, PhotoRecord
from service.errors import CursorStale
from service.search.gallery_view import GalleryView
from service.search.narrowing import photo_filter
from service.search.paging import decode_cursor, digest_of, encode_cursor

_CHANGED = "the gallery has changed since the first page: begin again without a cursor"


@dataclass(frozen=True, slots=True)
class ListQuery:
    """At most `limit` photos of any of `categories` that meet all `filters` (as text), behind a `cursor`."""

    limit: int = 100
    categories: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    cursor: str | None = None


@dataclass(frozen=True)
class PhotoPage:
    """A page of photos. `total`: photos on all pages together; `next_cursor`: None on the last page."""

    photos: list[PhotoRecord]
    total: int
    next_cursor: str | None
    index_version: str


def list_photos(view: GalleryView, query: ListQuery) -> PhotoPage:
    """The photos behind the cursor, or the first ones.

    Uploads that come meanwhile are on the last pages; another index version, or an upload that the cursor points to
    and that is gone, makes the cursor stale.

    Raises UnknownCategory, FilterInvalid, CursorInvalid, CursorStale.
    """
    where = photo_filter(view, query.categories, query.filters)
    asked = digest_of("photos", query.categories, query.filters)
    first = 0 if query.cursor is None else _row_behind(view, query.cursor, asked)
    rows: Sequence[int]
    if where is None:
        total = view.count
        rows = range(first, min(first + query.limit + 1, total))
    else:
        matching = view.rows_where(where)
        total, start = len(matching), int(np.searchsorted(matching, first))
        rows = matching[start : start + query.limit + 1].tolist()
    photos = view.photos(rows[: query.limit])
    more = len(rows) > query.limit
    cursor = encode_cursor(asked, view.index.version, _place(view, rows[query.limit - 1])) if more else None
    return PhotoPage(photos, total, cursor, view.index.version)


def _place(view: GalleryView, row: int) -> int | str:
    """A row of the index stays where it is; an upload is known by its id, since others may go."""
    return row if row < view.index.count else view.uploaded[row - view.index.count].photo_id


def _row_behind(view: GalleryView, cursor: str, asked: str) -> int:
    version, place = decode_cursor(cursor, asked, int | str)
    if version != view.index.version:
        raise CursorStale(_CHANGED)
    if isinstance(place, int):
        return max(place + 1, 0)
    try:
        return view.row(place) + 1
    except PhotoNotFound as error:
        raise CursorStale(_CHANGED) from error
