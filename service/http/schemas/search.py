"""Searches: their query parameters, and ranked photos as JSON."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue

from models.bundle import Focus, Frame
from service.adaptation.targets import NAME_CHARACTERS
from service.http.schemas.base import (
    EXAMPLE_BUNDLE_ID,
    EXAMPLE_CURSOR,
    EXAMPLE_INDEX_VERSION,
    EXAMPLE_METADATA,
    EXAMPLE_PHOTO_ID,
    FRAME,
    PhotoUrls,
    Schema,
    Score,
    present,
    rounded,
)
from service.http.schemas.problem import PROBLEM_EXAMPLE, Problem
from service.search.paging import CURSOR_CHARACTERS, MOST_RANKED
from service.search.query import Mirror, SearchQuery
from service.search.results import RankedPhoto, SearchResult

K_MAX = 200

Cursor = Annotated[
    str | None,
    Field(
        max_length=CURSOR_CHARACTERS,
        description="`next_cursor` of the page before, sent with the same sketch and parameters; only `k` may differ. "
        "No photo comes twice and none is missed; once the gallery or an adapter has changed, it is answered 410.",
    ),
]

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


class FilterParams(Schema):
    """Which photos are meant. Unknown parameters are rejected, so that no typo is ignored silently."""

    category: Annotated[
        tuple[Annotated[str, Field(max_length=NAME_CHARACTERS)], ...],
        Field(max_length=200, description="Only photos of this category; repeat it for several."),
    ] = ()
    filter: Annotated[
        tuple[Annotated[str, Field(max_length=500)], ...],
        Field(
            max_length=20,
            description="Condition on the photos: FIELD OPERATOR VALUE with one of = != >= <= > < ^= (begins with), "
            "such as `artist=openmoji` or `price>=10`; `size in (S, M)`, `category not in (shoe, hat)`; several joined "
            "by OR, of which one must hold. Repeat it for several, all of which must hold. Fields are the gallery's "
            "metadata, `category`, `photo_id`, `width` and `height`.",
        ),
    ] = ()


class NarrowingParams(FilterParams):
    """How a search is narrowed and done."""

    k: Annotated[int, Field(ge=1, le=K_MAX, description="How many photos to answer.")] = 10
    min_score: Annotated[Score | None, Field(description="Leave out photos whose `score` is lower.")] = None
    exact: Annotated[bool, Field(description="Score every photo: slower, and nothing is missed.")] = False
    group_duplicates: Annotated[
        bool,
        Field(
            description="Answer photos that look the same as one result: the best of them, with the others in its "
            "`duplicates`. Then `k` counts such groups, on every page. They look the same by a perceptual hash and "
            "by their embeddings, whatever their files are."
        ),
    ] = False

    def to_query(self) -> SearchQuery:
        """The parameters as the use case takes them, without adapters."""
        narrowing = self.k, self.category, self.filter, self.min_score, self.exact
        return SearchQuery(*narrowing, group_duplicates=self.group_duplicates)


class SimilarParams(NarrowingParams):
    """A search by a photo, page by page."""

    cursor: Cursor = None

    def to_query(self) -> SearchQuery:
        """The parameters as the use case takes them, without adapters."""
        return replace(super().to_query(), cursor=self.cursor)


class PhotoParams(SimilarParams):
    """What of a photo is shown; all other parameters are those of `similar`, and count for nothing else."""

    view: Annotated[
        Literal["record", "thumbnail", "image", "similar"],
        Field(
            description="What the paths `/thumbnail`, `/image` and `/similar` answer, for any id; the other parameters "
            "are those of `similar`. Without effect on such a path, unless a photo's id ends like it."
        ),
    ] = "record"


class PreviewParams(Schema):
    """How a sketch is prepared for the encoder."""

    frame: Annotated[Frame, Field(description=FRAME)] = "auto"


class BatchParams(NarrowingParams):
    """How sketches are searched for."""

    adapt: Annotated[bool, Field(description="Apply the active adapters: of the one `category`, and of `profile`.")] = (
        True
    )
    profile: Annotated[
        str | None,
        Field(max_length=NAME_CHARACTERS, description="Whose way of drawing it is: a profile of /v1/profiles."),
    ] = None
    focus: Annotated[
        Focus | None,
        Field(
            description="What photos are compared by: `kind`, the kind of thing; `detail`, the layout of its lines; "
            "`balanced`, both. By default both, and `detail` within a single `category`. Without effect where the "
            "bundle's embeddings have no parts."
        ),
    ] = None
    mirror: Annotated[
        Mirror,
        Field(
            description="Whether the drawing is compared mirrored as well, so that a photo that faces the other way is "
            "found: `true`, with every photo; `false`, with none; `auto`, with those of categories whose photos face "
            "one way (`faces_one_way` in /v1/categories), where it costs no accuracy. A photo's score is the better "
            "of the two."
        ),
    ] = "auto"
    frame: Annotated[Frame, Field(description=FRAME)] = "auto"

    def to_query(self) -> SearchQuery:
        """The parameters as the use case takes them; the profile's name in Unicode's NFC form."""
        # Profiles are stored in this form: a letter typed with a combining accent has to find the same one.
        profile = None if self.profile is None else unicodedata.normalize("NFC", self.profile)
        return replace(
            super().to_query(),
            adapt=self.adapt,
            profile=profile,
            focus=self.focus,
            mirror=self.mirror,
            frame=self.frame,
        )


class SearchParams(BatchParams):
    """A search by a sketch, page by page."""

    cursor: Cursor = None

    def to_query(self) -> SearchQuery:
        """The parameters as the use case takes them."""
        return replace(super().to_query(), cursor=self.cursor)


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
