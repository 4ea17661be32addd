"""The gallery: photos and categories as JSON."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any

from pydantic import Field, JsonValue

from index_builder.artifact import PhotoRecord
from service.http.schemas.base import EXAMPLE_METADATA, EXAMPLE_PHOTO_ID, Schema, photo_urls, present


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


def photo_json(photo: PhotoRecord, base_path: str = "/v1") -> dict[str, Any]:
    """A record as Photo. `base_path`: what the paths of its gallery begin with."""
    return {
        "photo_id": photo.photo_id,
        "category": photo.category,
        "width": photo.width,
        "height": photo.height,
        "sha256": photo.sha256,
        "metadata": present(photo.metadata),
        **photo_urls(photo.photo_id, base_path),
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
    **photo_urls(EXAMPLE_PHOTO_ID),
}
CATEGORIES_EXAMPLE: dict[str, Any] = categories_json({"clothing": 41}, 1638)
