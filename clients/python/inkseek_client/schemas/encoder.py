"""What it takes to encode a sketch."""

from __future__ import annotations

from typing import Literal

from inkseek_client.schemas.base import Schema


class EncoderParts(Schema):
    """An embedding's first `layout_dim` numbers, of length `layout_weight`, say where lines are; the rest, the kind."""

    layout_dim: int
    kind_dim: int
    layout_weight: float


class EncoderInput(Schema):
    """The input (B, 3, size_px, size_px) in float32 is (level / 255 - mean) / std, per channel."""

    name: Literal["image"]
    size_px: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    min_extent: float
    target_extent: float


class StrokeStyle(Schema):
    """Strokes are black lines on a white square: sides and widths in pixels, `margin` in shares of the side."""

    canvas_px: int
    line_px: float
    margin: float


class ThingsAlone(Schema):
    """Where photos show a thing alone on a plain ground: `overall`, and categories where it is the other way."""

    overall: bool
    exceptions: tuple[str, ...]


class EncoderDescription(Schema):
    """The sketch encoder in service; `url`: of its ONNX file, None where the operator does not give it away.

    `mirrored_helps`: photos of this gallery face one way, so the mirrored drawing finds more. `alone`:
    where drawings of up to 0.8 of their canvas are framed.
    """

    bundle_id: str
    embedding_dim: int
    parts: EncoderParts | None = None
    input: EncoderInput
    output: Literal["embedding"]
    strokes: StrokeStyle
    mirrored_helps: bool
    alone: ThingsAlone | None = None
    url: str | None = None
    bytes: int
    sha256: str
