"""Searches: their query parameters."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field

from models.bundle import Focus, Frame
from service.adaptation.targets import NAME_CHARACTERS
from service.http.schemas.base import (
    FRAME,
    Schema,
    Score,
)
from service.search.paging import CURSOR_CHARACTERS
from service.search.query import Mirror, SearchQuery

K_MAX = 200

Cursor = Annotated[
    str | None,
    Field(
        max_length=CURSOR_CHARACTERS,
        description="`next_cursor` of the page before, sent with the same sketch and parameters; only `k` may differ. "
        "No photo comes twice and none is missed; once the gallery or an adapter has changed, it is answered 410.",
    ),
]


Words = Annotated[
    str,
    Field(
        max_length=300,
        description="Only photos with these words in their ids, categories or metadata: all of them, the last one "
        'perhaps begun only; case and accents do not count. `"red mug"` in quotes: one behind the other. Without '
        "a word in it, it narrows nothing.",
    ),
]


CategoryName = Annotated[str, Field(max_length=NAME_CHARACTERS)]


class FilterParams(Schema):
    """Which photos are meant. Unknown parameters are rejected, so that no typo is ignored silently."""

    category: Annotated[
        tuple[CategoryName, ...],
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
    text: Words = ""
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
        return SearchQuery(*narrowing, group_duplicates=self.group_duplicates, text=self.text)


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
    """Which search a sketch is prepared for."""

    frame: Annotated[Frame, Field(description=FRAME)] = "auto"
    category: Annotated[
        tuple[CategoryName, ...],
        Field(
            max_length=200,
            description="As in the search: within a single one bold lines stay, and its photos say what is framed.",
        ),
    ] = ()
    focus: Annotated[
        Focus | None, Field(description="As in the search: bold lines stay for `detail` within a single `category`.")
    ] = None

    def to_query(self) -> SearchQuery:
        """The parameters as the use case takes them."""
        return SearchQuery(categories=self.category, focus=self.focus, frame=self.frame)


class ComparingParams(NarrowingParams):
    """How the embedding of a sketch is compared with those of photos."""

    adapt: Annotated[bool, Field(description="Apply the active adapters: of the one `category`, and of `profile`.")] = (
        True
    )
    profile: Annotated[
        str | None,
        Field(
            max_length=NAME_CHARACTERS,
            description="Whose way of drawing it is: a profile of /v1/profiles. By default `@key`, if the key has one.",
        ),
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
        )


class BatchParams(ComparingParams):
    """How sketches are searched for."""

    frame: Annotated[Frame, Field(description=FRAME)] = "auto"

    def to_query(self) -> SearchQuery:
        """The parameters as the use case takes them."""
        return replace(super().to_query(), frame=self.frame)


class SearchParams(BatchParams):
    """A search by a sketch, page by page."""

    cursor: Cursor = None

    def to_query(self) -> SearchQuery:
        """The parameters as the use case takes them."""
        return replace(super().to_query(), cursor=self.cursor)

    @cached_property
    def as_query(self) -> SearchQuery:
        """The same, made once: requests with the same query string share their parameters."""
        return self.to_query()


class VectorParams(ComparingParams):
    """A search by an embedding that the client has made, page by page. A JSON body may hold them as well."""

    cursor: Cursor = None
    bundle: Annotated[
        str | None,
        Field(
            max_length=100,
            description="`bundle_id` of the bundle whose encoder made the vector. Required: in the body where that is "
            "JSON, here where it is bytes.",
        ),
    ] = None
    dtype: Annotated[
        Literal["float16", "float32"], Field(description="Of the numbers of a body that is bytes, little-endian.")
    ] = "float16"

    def to_query(self) -> SearchQuery:
        """The parameters as the use case takes them."""
        return replace(super().to_query(), cursor=self.cursor)
