"""Answers of searches."""

from __future__ import annotations

from typing import Literal

from pydantic import JsonValue

from inkseek_client.schemas.base import Schema
from inkseek_client.schemas.problem import Problem


class Duplicate(Schema):
    """A photo that looks the same as the result it is listed with."""

    photo_id: str
    category: str
    score: float
    thumbnail_url: str
    image_url: str
    metadata: dict[str, JsonValue]


class Hit(Schema):
    """One photo of an answer.

    `score` in [-1, 1]; `confidence` in [0, 1], the probability that it is right, None where nothing was measured;
    `rank` counts from 1; URLs are paths below the service's.
    """

    photo_id: str
    category: str
    score: float
    confidence: float | None = None
    rank: int
    mirrored: bool = False
    duplicates: tuple[Duplicate, ...] | None = None
    thumbnail_url: str
    image_url: str
    metadata: dict[str, JsonValue]


class Timings(Schema):
    """Milliseconds of each stage, in the service."""

    decode: float = 0.0
    preprocess: float = 0.0
    encode: float = 0.0
    search: float = 0.0
    total: float


class SearchAnswer(Schema):
    """A page of photos, best first.

    `no_good_match`: probably no photo fits; None where nothing was measured. `next_cursor`: of the next page, None at
    the end; `Client.iter_search` follows it.
    """

    results: tuple[Hit, ...]
    no_good_match: bool | None = None
    next_cursor: str | None = None
    bundle_id: str
    index_version: str
    adapted: Literal["adapter", "centred", "none"] = "none"
    adapter_id: str | None = None
    style_adapter_id: str | None = None
    timings_ms: Timings


class BatchFault(Schema):
    """An item of a batch that could not be answered."""

    error: Problem


class BatchAnswer(Schema):
    """One entry per item, in the order sent."""

    items: tuple[SearchAnswer | BatchFault, ...]
