"""Photos, categories and galleries."""

from __future__ import annotations

from typing import Literal

from pydantic import JsonValue

from inkseek_client.schemas.base import Schema


class Photo(Schema):
    """A photo's record. `width` and `height` in pixels, upright; `category` is empty for a photo without one."""

    photo_id: str
    category: str
    width: int
    height: int
    sha256: str
    metadata: dict[str, JsonValue]
    thumbnail_url: str
    image_url: str


class ListedPhoto(Schema):
    """A photo of a listing: what `fields` named; the rest is None."""

    photo_id: str | None = None
    category: str | None = None
    width: int | None = None
    height: int | None = None
    sha256: str | None = None
    metadata: dict[str, JsonValue] | None = None
    thumbnail_url: str | None = None
    image_url: str | None = None


class Photos(Schema):
    """A page of the gallery. `total`: photos of all pages."""

    photos: tuple[ListedPhoto, ...]
    total: int
    next_cursor: str | None = None
    index_version: str


class CategoryCount(Schema):
    """A category and its number of photos. `faces_one_way`: whether `mirror="auto"` looks for mirrored drawings."""

    category: str
    count: int
    faces_one_way: bool = False


class Categories(Schema):
    """Categories by name. `total`: all photos, those without a category too."""

    categories: tuple[CategoryCount, ...]
    total: int


class GallerySummary(Schema):
    """A gallery of the service; `problem` says why a failed one could not be opened."""

    gallery: str
    path: str
    state: Literal["open", "closed", "failed"]
    problem: str | None = None
    index_version: str | None = None
    photo_count: int | None = None
    index_update_problem: str | None = None


class Galleries(Schema):
    """The galleries that the key may see."""

    galleries: tuple[GallerySummary, ...]
