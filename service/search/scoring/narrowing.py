"""What photos a request is narrowed to, checked against the gallery."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from index_builder.artifact import PhotoFilter, parse_condition, parse_words
from service.errors import UnknownCategory
from service.search.gallery_view import GalleryView
from service.search.query import unknown_name


def photo_filter(
    view: GalleryView, categories: Sequence[str], filters: Sequence[str], text: str = ""
) -> PhotoFilter | None:
    """The filter, or None for all photos; no words narrow nothing. Raises UnknownCategory, FilterInvalid."""
    words = parse_words(text)
    if not categories and not filters and words is None:
        return None
    known = view.categories()
    # Categories are stored in this form: a letter typed with a combining accent has to find the same one.
    names = [unicodedata.normalize("NFC", category) for category in categories]
    for name in names:
        if name not in known:
            raise UnknownCategory(unknown_name("category", name, list(known)))
    return PhotoFilter(frozenset(names), tuple(map(parse_condition, filters)), words)
