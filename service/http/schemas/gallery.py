"""The gallery: photos and categories as JSON."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, field_validator

from index_builder.artifact import PhotoRecord
from service.http.schemas.base import (
    EXAMPLE_CURSOR,
    EXAMPLE_INDEX_VERSION,
    EXAMPLE_METADATA,
    EXAMPLE_PHOTO_ID,
    PhotoUrls,
    Schema,
    present,
)
from service.http.schemas.search import FilterParams, Words
from service.search.listing import ListQuery, PhotoPage
from service.search.paging import CURSOR_CHARACTERS

LIMIT_MAX = 1_000


class Photo(Schema):
    """A photo of the gallery. `width` and `height` are the original's pixels, upright."""

    photo_id: str
    category: Annotated[str, Field(description="Empty for a photo without one.")]
    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]
    sha256: str
    metadata: dict[str, JsonValue]
    thumbnail_url: str
    image_url: str


PhotoField = Literal[
    "photo_id", "category", "width", "height", "sha256", "metadata", "thumbnail_url", "image_url"
]  # fmt: skip


class ListParams(FilterParams):
    """Which photos are listed, how many, and what is said of each."""

    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX, description="How many photos a page has.")] = 100
    cursor: Annotated[
        str | None,
        Field(
            max_length=CURSOR_CHARACTERS,
            description="`next_cursor` of the page before, with `category`, `filter` and `text` as they were. No photo "
            "comes twice and none is missed; once another index version is in service, it is answered 410.",
        ),
    ] = None
    text: Words = ""
    fields: Annotated[
        tuple[PhotoField, ...],
        Field(
            max_length=20,
            description="Only these fields of each photo: repeat it for several, or separate them by commas.",
        ),
    ] = ()

    @field_validator("fields", mode="before")
    @classmethod
    def _separated(cls, value: Any) -> Any:
        return tuple(name.strip() for part in value for name in part.split(",")) if isinstance(value, list) else value

    def to_query(self) -> ListQuery:
        """The parameters as the use case takes them."""
        return ListQuery(self.limit, self.category, self.filter, self.cursor, self.text)


class ListedPhoto(Schema):
    """A photo of the gallery, with the fields that `fields` names, or all of them."""

    photo_id: str | None = None
    category: Annotated[str | None, Field(description="Empty for a photo without one.")] = None
    width: Annotated[int | None, Field(ge=1)] = None
    height: Annotated[int | None, Field(ge=1)] = None
    sha256: str | None = None
    metadata: dict[str, JsonValue] | None = None
    thumbnail_url: str | None = None
    image_url: str | None = None


class Photos(Schema):
    """A page of the gallery: photos by their ids, then those that were uploaded, as they came."""

    photos: list[ListedPhoto]
    total: Annotated[int, Field(ge=0, description="Photos on all pages together.")]
    next_cursor: Annotated[str | None, Field(description="Of the next page; null on the last one.")] = None
    index_version: str


class CategoryCount(Schema):
    """A category and how many photos it has."""

    category: str
    count: Annotated[int, Field(ge=1)]
    faces_one_way: Annotated[
        bool,
        Field(description="Whether its photos mostly face one way, so that `mirror=auto` looks for mirrored ones."),
    ] = False


class Categories(Schema):
    """Categories of the index, by name. `total` counts all photos, those without a category too."""

    categories: list[CategoryCount]
    total: Annotated[int, Field(ge=0)]


def photo_json(photo: PhotoRecord, urls: PhotoUrls) -> dict[str, Any]:
    """A record as Photo."""
    return {
        "photo_id": photo.photo_id,
        "category": photo.category,
        "width": photo.width,
        "height": photo.height,
        "sha256": photo.sha256,
        "metadata": present(photo.metadata),
        **urls.of(photo.photo_id),
    }


def photos_json(page: PhotoPage, fields: Collection[str], urls: PhotoUrls) -> dict[str, Any]:
    """A page as Photos. `fields`: of each photo; none: all."""
    photos = [photo_json(photo, urls) for photo in page.photos]
    if fields:
        photos = [{name: value for name, value in photo.items() if name in fields} for photo in photos]
    return {
        "photos": photos,
        "total": page.total,
        "next_cursor": page.next_cursor,
        "index_version": page.index_version,
    }


def categories_json(counts: Mapping[str, int], total: int, one_way: Collection[str] = ()) -> dict[str, Any]:
    """Photos per category, by name, as Categories. `one_way`: names of those that face one way."""
    categories = [
        {"category": name, "count": count, "faces_one_way": name in one_way} for name, count in counts.items()
    ]
    return {"categories": categories, "total": total}


PHOTO_EXAMPLE: dict[str, Any] = {
    "photo_id": EXAMPLE_PHOTO_ID,
    "category": "clothing",
    "width": 512,
    "height": 512,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "metadata": EXAMPLE_METADATA,
    **PhotoUrls().of(EXAMPLE_PHOTO_ID),
}
PHOTOS_EXAMPLE: dict[str, Any] = {
    "photos": [PHOTO_EXAMPLE],
    "total": 1638,
    "next_cursor": EXAMPLE_CURSOR,
    "index_version": EXAMPLE_INDEX_VERSION,
}
CATEGORIES_EXAMPLE: dict[str, Any] = categories_json({"clothing": 41}, 1638)
