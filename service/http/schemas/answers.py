"""Ranked photos as JSON."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue

from service.http.schemas.base import (
    EXAMPLE_BUNDLE_ID,
    EXAMPLE_CURSOR,
    EXAMPLE_INDEX_VERSION,
    EXAMPLE_METADATA,
    EXAMPLE_PHOTO_ID,
    PhotoUrls,
    Schema,
    Score,
    present,
    rounded,
)
from service.http.schemas.problem import PROBLEM_EXAMPLE, Problem
from service.search.paging import MOST_RANKED
from service.search.results import RankedPhoto, SearchResult

_SCORE = (
    "How well the photo fits, comparable within one answer. Without `category`, or with several: the cosine of the "
    "sketch's and the photo's embeddings. With one `category`: the cosine after the category's adapter (or, without an "
    "active one, after the category's mean is subtracted), rescaled linearly so that the likenesses between the "
    "category's own photos have the mean and deviation that plain cosines have, and cut to [-1, 1]: no plain cosine."
)

_CONFIDENCE = (
    "The probability that the photo is right, as measured on drawings with known answers: that it shows the kind of "
    "thing that was drawn, or with one `category` that it is the very photo. Null where that was not measured: for "
    "bundles without a calibration, and for a `focus` on the detail among everything, or on the kind within a category."
)


class Duplicate(Schema):
    """A photo that looks the same as the one that is answered; its score may differ."""

    photo_id: str
    category: Annotated[str, Field(description="Empty for a photo without one.")]
    score: Annotated[Score, Field(description=_SCORE)]
    thumbnail_url: str
    image_url: str
    metadata: dict[str, JsonValue]


class Hit(Schema):
    """One photo of the answer; ranks count from 1."""

    photo_id: str
    category: Annotated[str, Field(description="Empty for a photo without one.")]
    score: Annotated[Score, Field(description=_SCORE)]
    confidence: Annotated[float | None, Field(ge=0, le=1, description=_CONFIDENCE)] = None
    rank: Annotated[int, Field(ge=1, le=MOST_RANKED)]
    mirrored: Annotated[bool, Field(description="Whether the score is that of the mirrored drawing.")] = False
    duplicates: Annotated[
        list[Duplicate] | None,
        Field(
            description="With `group_duplicates`: photos that look the same, best first, of those that are ranked "
            "about as well. Left out without it."
        ),
    ] = None
    thumbnail_url: str
    image_url: str
    metadata: dict[str, JsonValue]


class Timings(Schema):
    """Milliseconds spent in each stage; `total` also holds what lies between them, but not waiting for a thread.

    `encode` is that of the whole call, which sketches that wait at the same time share.
    """

    decode: Annotated[float, Field(ge=0)] = 0.0
    preprocess: Annotated[float, Field(ge=0)] = 0.0
    encode: Annotated[float, Field(ge=0)] = 0.0
    search: Annotated[float, Field(ge=0)] = 0.0
    total: Annotated[float, Field(ge=0)]


class SearchAnswer(Schema):
    """The photos most like the sketch, best first; ties in the order of the index."""

    results: list[Hit]
    no_good_match: Annotated[
        bool | None,
        Field(description="Whether probably no photo fits: the best `confidence` is low. Null where that is null."),
    ] = None
    next_cursor: Annotated[
        str | None,
        Field(
            description=f"Of the next page: send it as `cursor` with the same sketch and parameters. Null at the end, "
            f"which for one ranking is after {MOST_RANKED:,} photos at the latest; `GET /v1/photos` lists all."
        ),
    ] = None
    bundle_id: str
    index_version: str
    adapted: Annotated[
        Literal["adapter", "centred", "none"],
        Field(
            description="How photos were compared: through the category's active adapter; within a single category "
            "without one by mean-centred cosine; else by plain cosine."
        ),
    ] = "none"
    adapter_id: Annotated[str | None, Field(description="The category adapter that was applied.")] = None
    style_adapter_id: Annotated[str | None, Field(description="The profile's style adapter that was applied.")] = None
    timings_ms: Timings


class BatchFault(Schema):
    """An item that could not be answered; the others were."""

    error: Problem


class BatchAnswer(Schema):
    """One entry per item, in the order sent."""

    items: list[SearchAnswer | BatchFault]


def search_json(result: SearchResult, urls: PhotoUrls) -> dict[str, Any]:
    """A result as SearchAnswer; scores to six digits."""
    return {
        "results": [
            {
                "photo_id": ranked.photo.photo_id,
                "category": ranked.photo.category,
                "score": round(ranked.score, 6),
                "confidence": ranked.confidence and round(ranked.confidence, 4),
                "rank": ranked.rank,
                "mirrored": ranked.mirrored,
                **urls.of(ranked.photo.photo_id),
                "metadata": present(ranked.photo.metadata),
                **_duplicates(ranked, urls),
            }
            for ranked in result.photos
        ],
        **about_json(result),
    }


def about_json(result: SearchResult) -> dict[str, Any]:
    """All of a SearchAnswer but its results."""
    return {
        "no_good_match": result.no_good_match,
        "next_cursor": result.next_cursor,
        "bundle_id": result.bundle_id,
        "index_version": result.index_version,
        "adapted": result.adapted,
        "adapter_id": result.adapter_id,
        "style_adapter_id": result.style_adapter_id,
        "timings_ms": rounded(result.timings_ms),
    }


def _duplicates(ranked: RankedPhoto, urls: PhotoUrls) -> dict[str, Any]:
    if ranked.duplicates is None:
        return {}
    return {
        "duplicates": [
            {
                "photo_id": photo.photo_id,
                "category": photo.category,
                "score": round(score, 6),
                **urls.of(photo.photo_id),
                "metadata": present(photo.metadata),
            }
            for photo, score in ranked.duplicates
        ]
    }


SEARCH_EXAMPLE: dict[str, Any] = {
    "results": [
        {
            "photo_id": EXAMPLE_PHOTO_ID,
            "category": "clothing",
            "score": 0.8312,
            "confidence": 0.74,
            "rank": 1,
            "mirrored": False,
            **PhotoUrls().of(EXAMPLE_PHOTO_ID),
            "metadata": EXAMPLE_METADATA,
        },
    ],
    "no_good_match": False,
    "next_cursor": EXAMPLE_CURSOR,
    "bundle_id": EXAMPLE_BUNDLE_ID,
    "index_version": EXAMPLE_INDEX_VERSION,
    "adapted": "none",
    "adapter_id": None,
    "style_adapter_id": None,
    "timings_ms": {"decode": 0.61, "preprocess": 0.72, "encode": 9.8, "search": 0.34, "total": 11.6},
}
SIMILAR_EXAMPLE: dict[str, Any] = {
    **SEARCH_EXAMPLE,
    "results": [{**hit, "confidence": None} for hit in SEARCH_EXAMPLE["results"]],
    "no_good_match": None,
    "timings_ms": {"search": 0.36, "total": 0.4},
}
BATCH_EXAMPLE: dict[str, Any] = {"items": [SEARCH_EXAMPLE, {"error": PROBLEM_EXAMPLE}]}
