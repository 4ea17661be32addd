"""Calls that search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, TypedDict
from urllib.parse import quote

from inkseek_client.call import Call, query, quoted, reads
from inkseek_client.inputs import Sketch, Vector, body_type, read_sketch, vector_bytes
from inkseek_client.schemas.encoder import EncoderDescription
from inkseek_client.schemas.search import BatchAnswer, SearchAnswer

Names: TypeAlias = str | Sequence[str]
Frame: TypeAlias = Literal["auto", "true", "false"]
Focus: TypeAlias = Literal["kind", "detail", "balanced"]


class Narrowing(TypedDict, total=False):
    """Which photos are searched: categories, conditions such as `price<=50`, and a lowest score in [-1, 1].

    `text`: words that their ids, categories or metadata have, such as `"red mug" large`.
    `exact` scores every photo; `group_duplicates` answers photos that look the same as one result.
    """

    category: Names
    filter: Names
    min_score: float
    exact: bool
    group_duplicates: bool
    text: str


class VectorOptions(Narrowing, total=False):
    """How an embedding is compared; see the API reference for each. What is left out is the service's default."""

    adapt: bool
    profile: str
    focus: Focus
    mirror: Literal["auto", "true", "false"]


class SearchOptions(VectorOptions, total=False):
    """How a sketch is compared."""

    frame: Frame


class PreviewOptions(TypedDict, total=False):
    """Which search the sketch is seen for."""

    category: Names
    focus: Focus


def search(sketch: bytes, k: int, cursor: str | None, options: SearchOptions) -> Call[SearchAnswer]:
    """POST /v1/search. `sketch`: the body."""
    params = query(k=k, cursor=cursor, **options)
    return Call(
        "POST", "/v1/search", reads(SearchAnswer), params=params, content=sketch, content_type=body_type(sketch)
    )


def search_batch(sketches: Sequence[Sketch], k: int, options: SearchOptions) -> Call[BatchAnswer]:
    """POST /v1/search:batch. Raises OSError."""
    form = tuple(("sketch", (f"sketch-{n}", read_sketch(sketch))) for n, sketch in enumerate(sketches))
    return Call("POST", "/v1/search:batch", reads(BatchAnswer), params=query(k=k, **options), form=form)


def search_vector(
    vector: Vector, bundle: str, mirrored: Vector | None, k: int, cursor: str | None, options: VectorOptions
) -> Call[SearchAnswer]:
    """POST /v1/search:vector, in float16. Raises ValueError for numbers that it cannot hold."""
    content = vector_bytes(vector) + (b"" if mirrored is None else vector_bytes(mirrored))
    params = query(bundle=bundle, k=k, cursor=cursor, **options)
    return Call(
        "POST",
        "/v1/search:vector",
        reads(SearchAnswer),
        params=params,
        content=content,
        content_type="application/octet-stream",
    )


def encoder() -> Call[EncoderDescription]:
    """GET /v1/encoder."""
    return Call("GET", "/v1/encoder", reads(EncoderDescription))


def encoder_file(bundle_id: str) -> Call[bytes]:
    """GET /v1/encoder/{bundle_id}.onnx."""
    return Call("GET", f"/v1/encoder/{quote(bundle_id, safe='')}.onnx", bytes)


def preview(sketch: Sketch, frame: Frame | None, options: PreviewOptions) -> Call[bytes]:
    """POST /v1/preview. Raises OSError."""
    body, params = read_sketch(sketch), query(frame=frame, **options)
    return Call("POST", "/v1/preview", bytes, params=params, content=body, content_type=body_type(body))


def similar(photo_id: str, k: int, cursor: str | None, options: Narrowing) -> Call[SearchAnswer]:
    """GET /v1/photos/{photo_id} with `view=similar`, which holds for ids that end as routes do, too."""
    params = query(view="similar", k=k, cursor=cursor, **options)
    return Call("GET", f"/v1/photos/{quoted(photo_id)}", reads(SearchAnswer), params=params)
