"""What a client needs to encode sketches itself."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from models.bundle import STROKE_CANVAS_PX, STROKE_LINE_PX, STROKE_MARGIN, AloneShares, Bundle, SketchNormalisation
from service.http.schemas.base import EXAMPLE_BUNDLE_ID, Schema


class EncoderParts(Schema):
    """How an embedding is divided: `layout_dim` numbers of layout, of length `layout_weight`; the rest are the kind."""

    layout_dim: int
    kind_dim: int
    layout_weight: float


class EncoderInput(Schema):
    """How pixels become the encoder's input, (B, 3, size_px, size_px) float32: (level / 255 - mean) / std.

    `min_extent`, `target_extent`: of the canvas; a drawing below the first is cropped and covers the second then.
    """

    name: Literal["image"]
    size_px: int
    mean: Annotated[list[float], Field(min_length=3, max_length=3)]
    std: Annotated[list[float], Field(min_length=3, max_length=3)]
    min_extent: float
    target_extent: float


class StrokeStyle(Schema):
    """How strokes are drawn: black lines of `line_px` on a white square of `canvas_px`, `margin` of it left free."""

    canvas_px: int
    line_px: float
    margin: float


class ThingsAlone(Schema):
    """Where photos show a thing alone on a plain ground: `overall`, and categories where it is the other way.

    In a search among such photos, drawings of up to 0.8 of their canvas are framed, since their size means nothing.
    """

    overall: bool
    exceptions: list[str]


class EncoderDescription(Schema):
    """The sketch encoder of the bundle in service, and what is done to a sketch before it."""

    bundle_id: str
    embedding_dim: Annotated[int, Field(ge=1, description="Numbers in an embedding; its length is 1.")]
    parts: Annotated[EncoderParts | None, Field(description="Null: the embedding is one piece.")] = None
    input: EncoderInput
    output: Literal["embedding"]
    strokes: StrokeStyle
    mirrored_helps: Annotated[
        bool,
        Field(
            description="Whether photos of this gallery face one way, so that a search finds more with the embedding "
            "of the mirrored drawing."
        ),
    ]
    alone: Annotated[ThingsAlone | None, Field(description="Null: drawings are compared where they lie.")] = None
    url: Annotated[
        str | None,
        Field(description="Where the ONNX file is; null: INKSEEK_ENCODER_DOWNLOAD does not give it away."),
    ] = None
    bytes: Annotated[int, Field(ge=1, description="Of the file.")]
    sha256: str


def describe_encoder(
    bundle: Bundle, *, mirrored_helps: bool, alone: AloneShares | None = None, url: str | None = None
) -> EncoderDescription:
    """The sketch encoder of a bundle. `mirrored_helps`, `alone`: of the gallery. `url`: of its file."""
    spec = bundle.manifest.sketch
    preprocess, file = spec.preprocess, bundle.manifest.files[spec.file]
    placing = preprocess.sketch or SketchNormalisation()
    return EncoderDescription(
        bundle_id=bundle.bundle_id,
        embedding_dim=bundle.embedding_dim,
        parts=EncoderParts(**bundle.parts.model_dump()) if bundle.parts else None,
        input=EncoderInput(
            name="image",
            size_px=preprocess.size_px,
            mean=list(preprocess.mean),
            std=list(preprocess.std),
            min_extent=placing.min_extent,
            target_extent=placing.target_extent,
        ),
        output="embedding",
        strokes=StrokeStyle(canvas_px=STROKE_CANVAS_PX, line_px=STROKE_LINE_PX, margin=STROKE_MARGIN),
        mirrored_helps=mirrored_helps,
        alone=ThingsAlone(overall=alone.holds(), exceptions=alone.exceptions) if alone else None,
        url=url,
        bytes=file.bytes,
        sha256=file.sha256,
    )


ENCODER_EXAMPLE: dict[str, Any] = {
    "bundle_id": EXAMPLE_BUNDLE_ID,
    "embedding_dim": 996,
    "parts": {"layout_dim": 800, "kind_dim": 196, "layout_weight": 0.6124},
    "input": {
        "name": "image",
        "size_px": 144,
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "min_extent": 0.2,
        "target_extent": 0.8,
    },
    "output": "embedding",
    "strokes": {"canvas_px": STROKE_CANVAS_PX, "line_px": STROKE_LINE_PX, "margin": STROKE_MARGIN},
    "mirrored_helps": False,
    "alone": {"overall": True, "exceptions": ["harbours"]},
    "url": f"/v1/encoder/{EXAMPLE_BUNDLE_ID}.onnx",
    "bytes": 4558705,
    "sha256": "ca579c6900c8a500b15fbb876f31a362cbca166668aea932db2cdefecf97955e",
}
