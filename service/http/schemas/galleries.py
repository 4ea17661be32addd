"""The galleries of the service as JSON."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import Field

from service.http.root_path import current_root_path
from service.http.schemas.base import EXAMPLE_INDEX_VERSION, Schema
from service.runtime.galleries.open_gallery import OpenGallery


class GallerySummary(Schema):
    """A gallery of the service."""

    gallery: str
    path: Annotated[str, Field(description="What its routes begin with.")]
    state: Annotated[
        Literal["open", "closed", "failed"],
        Field(description="In the process that answers; a closed gallery opens with its first request."),
    ]
    problem: Annotated[str | None, Field(description="Why a failed one could not be opened.")] = None
    index_version: str | None = None
    photo_count: Annotated[int | None, Field(description="Photos that can be found, of an open one.")] = None
    index_update_problem: str | None = None


class Galleries(Schema):
    """The galleries that the caller may see, by name."""

    galleries: list[GallerySummary]


def gallery_json(name: str, gallery: OpenGallery | None, problem: str | None) -> dict[str, Any]:
    """A gallery as GallerySummary; `gallery` is None for one that is not open."""
    summary: dict[str, Any] = {"gallery": name, "path": f"{current_root_path()}/v1/galleries/{quote(name)}"}
    if gallery is None:
        return {**summary, "state": "failed" if problem else "closed", "problem": problem}
    with gallery.serving.borrow() as retriever:
        return {
            **summary,
            "state": "open",
            "index_version": retriever.index.version,
            "photo_count": retriever.gallery().view.count,
            "index_update_problem": gallery.health.update_problem,
        }


GALLERIES_EXAMPLE: dict[str, Any] = {
    "galleries": [
        {
            "gallery": "default",
            "path": "/v1/galleries/default",
            "state": "open",
            "index_version": EXAMPLE_INDEX_VERSION,
            "photo_count": 1638,
            "index_update_problem": None,
        },
        {"gallery": "shoes", "path": "/v1/galleries/shoes", "state": "closed", "problem": None},
    ]
}
