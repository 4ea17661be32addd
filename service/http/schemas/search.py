"""What goes over the wire, as pydantic models: they make the OpenAPI document and check request bodies.

Answers are written as plain dicts (validating our own answers again would cost more than finding them); a contract
test holds every answer against its schema.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

K_MAX = 200
NAME_CHARACTERS = 500

STROKES_EXAMPLE: dict[str, JsonValue] = {
    "strokes": [[[60, 70, 150, 160, 60], [80, 200, 200, 80, 80]], [[158, 195, 198, 154], [100, 105, 150, 165]]]
}
POINTS_EXAMPLE: dict[str, JsonValue] = {"strokes": [{"points": [{"x": 10, "y": 10}, {"x": 90, "y": 80, "t": 16}]}]}

Coordinate = Annotated[float, Field(allow_inf_nan=False)]
Row = Annotated[list[Coordinate], Field(min_length=1)]
Score = Annotated[float, Field(ge=-1.0, le=1.0, allow_inf_nan=False)]


class Schema(BaseModel):
    """What goes over the wire: no unknown fields, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# --- what a client sends -------------------------------------------------------------------------------------------


class Point(Schema):
    """One position of the pen; y grows downwards. `t` (milliseconds) is accepted and not used."""

    x: Coordinate
    y: Coordinate
    t: Coordinate | None = None


class PointStroke(Schema):
    """One stroke as a list of points."""

    points: Annotated[list[Point], Field(min_length=1)]


RowStroke = Annotated[
    list[Row],
    Field(
        min_length=2, max_length=3, description="One stroke as rows: all x, all y and, if wanted, all t. Equally long."
    ),
]


class ImageBody(Schema):
    """A picture of the sketch in base64; a `data:` URL is accepted too."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"image_base64": "data:image/png;base64,iVBORw0KGgo..."}]}
    )

    image_base64: Annotated[str, Field(min_length=1)]


class StrokesBody(Schema):
    """The drawing as strokes, in any unit: it is fitted into the canvas. Both forms of a stroke may be mixed."""

    model_config = ConfigDict(json_schema_extra={"examples": [STROKES_EXAMPLE, POINTS_EXAMPLE]})

    strokes: Annotated[list[RowStroke | PointStroke], Field(min_length=1)]


class PointsBody(PointStroke):
    """The drawing as a single stroke of points."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"points": [{"x": 0, "y": 0}, {"x": 40, "y": 30, "t": 8}]}]}
    )


class BatchBody(Schema):
    """Several sketches, each in one of the JSON forms of a single one."""

    items: Annotated[list[ImageBody | StrokesBody | PointsBody], Field(min_length=1)]


class NarrowingParams(Schema):
    """How a search is narrowed and done. Unknown parameters are refused, so that a typo is not ignored silently."""

    k: Annotated[int, Field(ge=1, le=K_MAX, description="How many photos to answer.")] = 10
    category: Annotated[
        list[Annotated[str, Field(max_length=NAME_CHARACTERS)]],
        Field(max_length=200, description="Only photos of this category; repeat it for several."),
    ] = []
    filter: Annotated[
        list[Annotated[str, Field(max_length=500)]],
        Field(
            max_length=20,
            description="Condition on the gallery's metadata: FIELD OPERATOR VALUE with one of = != >= <= > <, such as "
            "`artist=openmoji` or `price>=10`; repeat it for several, all of which must hold.",
        ),
    ] = []
    min_score: Annotated[Score | None, Field(description="Leave out photos with a lower cosine than this.")] = None
    exact: Annotated[bool, Field(description="Score every photo: slower, and nothing is missed.")] = False


class SearchParams(NarrowingParams):
    """How a sketch is searched for."""

    adapt: Annotated[
        bool, Field(description="Use what was taught: the active adapter of the one `category`, and of `profile`.")
    ] = True
    profile: Annotated[
        str | None,
        Field(
            max_length=NAME_CHARACTERS, description="Whose hand drew it: a profile that was taught. See /v1/profiles."
        ),
    ] = None


# --- what the service answers --------------------------------------------------------------------------------------


class Hit(Schema):
    """One photo found. `score` is the cosine of the sketch's and the photo's embeddings, or an adapter's,
    on the same scale; ranks count from 1.
    """

    photo_id: str
    category: Annotated[str, Field(description="Empty for a photo without one.")]
    score: Score
    rank: Annotated[int, Field(ge=1, le=K_MAX)]
    thumbnail_url: str
    image_url: str
    metadata: dict[str, JsonValue]


class Timings(Schema):
    """Milliseconds spent in each stage; `total` also holds what lies between them, but not waiting for a thread."""

    decode: Annotated[float, Field(ge=0)] = 0.0
    preprocess: Annotated[float, Field(ge=0)] = 0.0
    encode: Annotated[float, Field(ge=0)] = 0.0
    search: Annotated[float, Field(ge=0)] = 0.0
    total: Annotated[float, Field(ge=0)]


class SearchAnswer(Schema):
    """The photos most like the sketch, best first; ties in the order of the index."""

    results: list[Hit]
    bundle_id: str
    index_version: str
    adapted: Annotated[
        Literal["adapter", "centred", "none"],
        Field(
            description="How photos were compared: through the category's active adapter; within a single category "
            "without one by what its photos do not share; else by plain cosine."
        ),
    ] = "none"
    adapter_id: Annotated[str | None, Field(description="The category's active adapter, where one was used.")] = None
    style_adapter_id: Annotated[str | None, Field(description="The profile's active adapter, where one was used.")] = (
        None
    )
    timings_ms: Timings


class FieldFault(Schema):
    """One thing wrong with a request."""

    where: str
    what: str


class Problem(BaseModel):
    """RFC 9457 problem. `code` is stable and meant for programs; `detail` is meant for people."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "type": "/docs#problem-sketch_empty",
                    "title": "The sketch is empty",
                    "status": 422,
                    "detail": "the sketch is empty: nothing is drawn on it",
                    "code": "sketch_empty",
                }
            ]
        },
    )

    type: str
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    code: str
    errors: list[FieldFault] | None = None
    request_id: str | None = None


class BatchFault(Schema):
    """An item that could not be answered; the others were."""

    error: Problem


class BatchAnswer(Schema):
    """One entry per item, in the order sent."""

    items: list[SearchAnswer | BatchFault]


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


class Categories(Schema):
    """Categories of the index, by name. `total` counts all photos, those without a category too."""

    categories: list[CategoryCount]
    total: Annotated[int, Field(ge=0)]


class Limits(Schema):
    """What a request may hold."""

    max_upload_bytes: int
    max_image_pixels: int
    max_strokes: int
    max_points: int
    max_batch_items: int
    max_k: int
    max_support_bytes: int
    max_pairs: int
    max_support_photos: int
    max_adapters: int


class MetadataFieldInfo(Schema):
    """A metadata column that `filter` may name."""

    name: str
    type: str


class Info(Schema):
    """What is being served."""

    service: Literal["inkseek"]
    version: str
    bundle_id: str
    bundle_name: str
    bundle_metrics: dict[str, Any]
    index_version: str
    index_created_at: str
    index_kind: str
    index_recall: float | None
    photo_count: int
    embedding_dim: int
    sketch_size_px: int
    providers: list[str]
    threads: int
    metadata_fields: list[MetadataFieldInfo]
    adaptation_id: Annotated[
        str | None, Field(description="What fits adapters to examples; null: the bundle cannot adapt.")
    ]
    adaptation_method: str | None = None
    limits: Limits


class Alive(Schema):
    """The process answers."""

    status: Literal["alive"]


class Readiness(Schema):
    """Sketches are answered right. `checked_s_ago`: age of the last right answer to the canary sketch."""

    status: Literal["ready"]
    bundle_id: str
    index_version: str
    checked_s_ago: Annotated[float, Field(ge=0)]
    index_update_problem: str | None = None
    adapters_active: Annotated[int, Field(ge=0, description="Fitted adapters in service.")] = 0
    adapters_outdated: Annotated[
        int,
        Field(
            ge=0,
            description="Categories and profiles with adapters of another bundle: `inkseek adapters refit`.",
        ),
    ] = 0
    online_problem: str | None = None
