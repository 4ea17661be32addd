"""The gallery in its own order, page by page: the index's photos by their ids, then what changed online, as it did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from index_builder.artifact import PhotoRecord
from service.errors import CursorStale
from service.search.gallery_view import GalleryView
from service.search.paging import decode_cursor, digest_of, encode_cursor
from service.search.scoring.narrowing import photo_filter

_CHANGED = "the gallery has changed since the first page: begin again without a cursor"


@dataclass(frozen=True, slots=True)
class ListQuery:
    """At most `limit` photos of any of `categories` that meet all `filters` (as text), behind a `cursor`.

    `text`: words that the photos have; empty: any.
    """

    limit: int = 100
    categories: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    cursor: str | None = None
    text: str = ""


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
    where = photo_filter(view, query.categories, query.filters, query.text)
    asked = digest_of("photos", query.categories, query.filters, *([query.text] if query.text else []))
    first = 0 if query.cursor is None else _row_behind(view, query.cursor, asked)
    matching = view.rows if where is None else view.rows_where(where)
    total, start = len(matching), int(np.searchsorted(matching, first))
    rows = matching[start : start + query.limit + 1].tolist()
    photos = view.photos(rows[: query.limit])
    more = len(rows) > query.limit
    cursor = encode_cursor(asked, view.index.version, _place(view, rows[query.limit - 1])) if more else None
    return PhotoPage(photos, total, cursor, view.index.version)


def _place(view: GalleryView, row: int) -> int | tuple[str, int]:
    """A row of the index stays where it is; another photo is known by its id and change, since others may go."""
    if row < view.index.count:
        return row
    photo = view.online.photo(row - view.index.count)
    return photo.photo_id, photo.change


def _row_behind(view: GalleryView, cursor: str, asked: str) -> int:
    version, place = decode_cursor(cursor, asked, int | tuple[str, int])
    if version != view.index.version:
        raise CursorStale(_CHANGED)
    if isinstance(place, int):
        return max(place + 1, 0)
    photo_id, change = place
    slot = view.online.slot_of(photo_id)
    # Changed since, it lies behind photos that the next page has to begin with.
    if slot is None or view.online.photo(slot).change != change:
        raise CursorStale(_CHANGED)
    return view.index.count + slot + 1
